"""What the columns of a fitted scikit-learn model are: names, kinds, categories, and the points where its answers change."""

from dataclasses import dataclass, field

import numpy as np

import boosting
import table
from refusal import Refusal


@dataclass
class Column:
    name: str
    kind: str = "number"
    """number, integer or string: as the model's encoders were fitted."""
    categories: list = field(default_factory=list)
    codes: list | None = None
    """The numbers that trees have for the categories, where these are not the numbers themselves."""
    knows_missing: bool = False
    """Whether an encoder has a category for missing values."""
    fill: object = None
    """What an imputer of texts puts for a missing one."""
    points: list = field(default_factory=list)
    """Numbers near which the model changes its answer, or that it saw in training."""


def is_text(model):
    """Whether the model takes one text, and splits it itself."""
    from sklearn.feature_extraction.text import CountVectorizer

    first = model.steps[0][1] if hasattr(model, "steps") else model
    return isinstance(first, CountVectorizer)


def columns_of(model, names, frame):
    """The model's columns in order. `names` are those that the user gives, or None; `frame` the user's data, or None."""
    own = own_names(model)
    count = width_of(model)
    if count is None:
        raise Refusal("The model does not say how many columns it takes (n_features_in_). Is it fitted?")
    if own is not None:
        if names and sorted(names) != sorted(own):
            raise Refusal(f"--features names {', '.join(names)}, but the model was trained with {', '.join(own)}. Leave --features out.")
        names = list(own)
    if names is None:
        names = [f"feature_{index + 1}" for index in range(count)]
    if len(names) != count:
        raise Refusal(f"The model takes {count} columns, and there are {len(names)} names: {', '.join(names)}.")
    columns = [Column(str(name)) for name in names]
    read(model, [(column, 1.0, 0.0) for column in columns])
    if frame is not None:
        table.check_names(frame, columns)
    boosting.read_categories(model, columns, frame)
    return columns


def width_of(model):
    """How many columns the model takes, or None. CatBoost forgets it when a model is loaded."""
    if type(model).__module__.startswith("catboost"):
        return len(model.feature_names_)
    return getattr(model, "n_features_in_", None)


def own_names(model):
    """The names that the model was trained with, or None. CatBoost and XGBoost have numbers where there were none."""
    names = getattr(model, "feature_names_in_", None)
    if names is None and type(model).__module__.startswith("catboost"):
        names = model.feature_names_
        return None if names == [str(index) for index in range(len(names))] else names
    return names


def read(step, places):
    """Notes what a step shows about its columns. A place is a column with `a` and `b`, whose number is a·z + b for the step's z."""
    if step is None or isinstance(step, str):
        return
    if hasattr(step, "steps"):
        for _, one in step.steps:
            read(one, places)
            places = behind(one, places)
            if places is None:
                return
    elif hasattr(step, "transformers_"):
        indices = step._transformer_to_input_indices
        for name, one, _ in step.transformers_:
            if not isinstance(one, str):
                read(one, [places[index] for index in indices[name]])
    else:
        read_encoder(step, places)
        read_imputer(step, places)
        for number, (column, a, b) in zip(numbers_of(step, len(places)), places):
            column.points += [float(a * one + b) for one in number if np.isfinite(one)]
        for inner in inner_models(step):
            read(inner, places)


def read_encoder(step, places):
    from sklearn.feature_extraction.text import CountVectorizer

    if isinstance(step, CountVectorizer):
        for column, _, _ in places:
            column.kind = "string"
            column.categories = list(step.vocabulary_)[:50]
        return
    for known, (column, _, _) in zip(getattr(step, "categories_", []), places):
        values = [one for one in np.asarray(known, dtype=object) if not is_missing(one)]
        column.knows_missing = len(values) < len(known)
        if any(isinstance(one, str) for one in values):
            column.kind, column.categories = "string", [str(one) for one in values]
        elif np.asarray(known).dtype.kind in "iub" and column.kind == "number":
            column.kind, column.categories = "integer", [int(one) for one in values]
        else:
            column.points += [float(one) for one in values]


def read_imputer(step, places):
    statistics = getattr(step, "statistics_", None)
    if statistics is None:
        return
    for value, (column, a, b) in zip(statistics, places):
        if isinstance(value, str):
            column.kind, column.fill = "string", value
        elif not is_missing(value):
            column.points.append(float(a * value + b))


def behind(step, places):
    """The places after a step that keeps columns by themselves. None after any other."""
    name = type(step).__name__
    if isinstance(step, str) or step is None:
        return places
    if name == "SimpleImputer" and not step.add_indicator:
        return places
    if name in ("StandardScaler", "RobustScaler", "MaxAbsScaler"):
        scale = getattr(step, "scale_", None)
        center = getattr(step, "mean_", getattr(step, "center_", None))
        scale = np.ones(len(places)) if scale is None else scale
        center = np.zeros(len(places)) if center is None else center
        return [(column, a * s, a * c + b) for (column, a, b), s, c in zip(places, scale, center)]
    if name == "MinMaxScaler":
        return [(column, a / s, b - a * m / s) for (column, a, b), s, m in zip(places, step.scale_, step.min_)]
    return None


def numbers_of(step, count):
    """For each column of a step, the numbers that it was fitted with: splits, means, neighbours."""
    boosted = boosting.points_of(step, count)
    if boosted is not None:
        return boosted
    found = [[] for _ in range(count)]
    tree = getattr(step, "tree_", None)
    if tree is not None:
        for feature, threshold in zip(tree.feature, tree.threshold):
            if feature >= 0:
                found[feature].append(threshold)
    for nodes in (predictor.nodes for stage in getattr(step, "_predictors", []) for predictor in stage):
        for node in nodes:
            if not node["is_leaf"] and not node["is_categorical"] and node["feature_idx"] < count:
                found[node["feature_idx"]].append(node["num_threshold"])
    for name in ("theta_", "_fit_X", "support_vectors_", "cluster_centers_", "mean_", "means_", "data_min_", "data_max_", "center_"):
        table = getattr(step, name, None)
        if isinstance(table, np.ndarray) and table.shape and table.shape[-1] == count and table.dtype.kind == "f":
            for row in np.atleast_2d(table)[:50]:
                for column, number in enumerate(row):
                    found[column].append(number)
    if type(step).__name__ == "StandardScaler" and step.mean_ is not None and step.scale_ is not None:
        for column in range(count):
            found[column] += [step.mean_[column] + k * step.scale_[column] for k in (-2, 2)]
    weights = np.atleast_2d(getattr(step, "coef_", np.zeros((0, count))))
    if weights.shape[-1] == count and weights.dtype.kind == "f" and type(step).__name__ != "SVC":
        # As large as a number must be to matter.
        for row in weights[:10]:
            for column, weight in enumerate(row):
                found[column] += [k / weight for k in (-3, 3)] if abs(weight) > 1e-12 else []
    for column, edges in enumerate(getattr(step, "bin_edges_", [])):
        found[column] += list(edges)
    return found


def inner_models(step):
    """The fitted estimators in an ensemble that take the same columns."""
    if type(step).__name__ in ("ClassifierChain", "RegressorChain"):
        return []
    inner = []
    for name in ("estimators_", "estimator_", "calibrated_classifiers_", "regressor_", "best_estimator_", "estimator"):
        value = getattr(step, name, None)
        inner += [value] if hasattr(value, "fit") else list(np.ravel(np.asarray(value, dtype=object))) if isinstance(value, (list, np.ndarray)) else []
    return [one for one in inner if hasattr(one, "n_features_in_") or hasattr(one, "estimator")]


def is_missing(value):
    return value is None or (isinstance(value, float) and np.isnan(value))
