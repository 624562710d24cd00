"""Asks the model as it was trained: rows as JSON has them in, answers in the form of Nearcast's tasks out."""

import warnings

import numpy as np

import boosting
import categories
from columns import own_names
from export import parts
from refusal import Refusal


class Original:
    """`columns` is None for a model that takes one text."""

    def __init__(self, model, columns, labels=None):
        self.model = model
        self.columns = columns
        self.has_names = columns is not None and own_names(model) is not None and not boosting.is_boosted(model)
        self.method = None
        self.compares_doubles = any(hasattr(one, "_predictors") for one in parts(model))
        self.labels = None
        # Names of the numbers that a regression of several gives, and what else than a classifier or one number it is.
        self.targets = labels
        self.task = None
        self.independent = False
        # A PCA and the like have no prediction: their numbers are the answer.
        self.asked = "predict" if hasattr(model, "predict") else "transform"
        if not hasattr(model, self.asked) or columns is None and self.asked == "transform":
            raise Refusal(
                f"{type(model).__name__} has no predict: it is no classifier and no regression. Put the model behind it into one pipeline, and convert that."
            )
        if is_classifier(model):
            self.read_labels(labels)
        elif is_outlier_detector(model):
            self.task = "tabular-anomaly-detection"
            self.method = "decision_function"

    def read_labels(self, given):
        found = getattr(self.model, "classes_", None)
        if found is None or (isinstance(found, list) and len({tuple(one) for one in found}) > 1):
            raise Refusal(
                f"{type(self.model).__name__} predicts several columns of classes. Convert the model of each column by itself."
            )
        self.independent = isinstance(found, list) or getattr(self.model, "multilabel_", False) or is_multilabel(self.model)
        count = len(found)
        if self.independent:
            if given is not None and len(given) != count:
                raise Refusal(f"--labels names {len(given)}, but the model has {count} labels, each by itself.")
            self.labels = list(given or [f"label_{index + 1}" for index in range(count)])
            self.classes = list(range(count))
        else:
            self.classes = [plain_class(one) for one in found]
            self.labels = list(given or map(str, self.classes))
            if len(self.labels) != count:
                raise Refusal(f"--labels names {len(self.labels)}, but the model has the classes {', '.join(map(str, self.classes))}.")
        for name in ("predict_proba", "decision_function"):
            if hasattr(self.model, name):
                self.method = name
                break

    def frame(self, rows):
        if self.columns is None:
            return [row for row in rows]
        values = [[row.get(column.name) for row in rows] for column in self.columns]
        if any(column.codes is not None for column in self.columns):
            return categories.frame_of(self.columns, values)
        if self.has_names:
            import pandas as pd

            return pd.DataFrame({column.name: series(column, one) for column, one in zip(self.columns, values)})
        if all(column.kind != "string" for column in self.columns):
            return np.array([[np.nan if one is None else float(one) for one in column] for column in values]).T.reshape(len(rows), -1)
        table = np.empty((len(rows), len(values)), dtype=object)
        for index, column in enumerate(values):
            table[:, index] = [np.nan if one is None else one for one in column]
        return table

    def takes(self, rows):
        """Whether the model answers these rows, and does not raise."""
        try:
            self.numbers(rows)
            return True
        except Exception:
            return False

    def numbers(self, rows):
        """A row of numbers for each row: what a small step of an input may change."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frame = self.frame(rows)
            if self.is_regression():
                found = getattr(self.model, self.asked)(frame)
            elif self.method:
                found = getattr(self.model, self.method)(frame)
            else:
                found = np.array([[float(plain_class(one) == known) for known in self.classes] for one in self.predicted(frame)])
        if hasattr(found, "toarray"):
            found = found.toarray()
        if isinstance(found, list):
            found = np.stack([one[:, 1] for one in found], axis=1)
        return np.asarray(found, dtype=float).reshape(len(rows), -1)

    def answers(self, rows):
        """`{"value"}`, `{"values"}` by target, `{"anomaly", "numbers"}`, or `{"label", "labels", "numbers"}` by label."""
        numbers = self.numbers(rows)
        if self.is_regression():
            if numbers.shape[1] == 1:
                return [{"value": float(one)} for one in numbers[:, 0]]
            names = self.read_targets(numbers.shape[1])
            return [{"values": dict(zip(names, map(float, row)))} for row in numbers]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            said = self.predicted(self.frame(rows))
        if self.task:
            return [{"anomaly": bool(one == -1), "numbers": {"score": float(row[0])}} for one, row in zip(said, numbers)]
        return [self.answer(one, row) for one, row in zip(said, numbers)]

    def predicted(self, frame):
        """What the model says of each row. CatBoost says several classes in a column."""
        said = np.asarray(self.model.predict(frame))
        return said[:, 0] if not self.independent and said.ndim == 2 and said.shape[1] == 1 else said

    def is_regression(self):
        return self.labels is None and self.task != "tabular-anomaly-detection"

    def read_targets(self, count):
        self.task = "tabular-regression"
        self.targets = self.targets or self.own_targets() or [f"target_{index + 1}" for index in range(count)]
        if len(self.targets) != count:
            raise Refusal(f"--labels names {len(self.targets)}, but the model predicts {count} numbers a row.")
        return self.targets

    def own_targets(self):
        """What the model itself calls the numbers of its transform."""
        if self.asked == "predict" or not hasattr(self.model, "get_feature_names_out"):
            return None
        return [str(name) for name in self.model.get_feature_names_out()]

    def answer(self, said, numbers):
        names = self.labels
        if self.method == "decision_function" and len(numbers) == 1:
            names = names[1:]
        answer = {}
        if self.independent:
            answer["labels"] = [name for name, one in zip(self.labels, said) if one]
        else:
            answer["label"] = self.labels[self.classes.index(plain_class(said))]
        if self.method and len(names) == len(numbers):
            answer["numbers"] = {name: float(one) for name, one in zip(names, numbers)}
        return answer


def series(column, values):
    import pandas as pd

    if column.kind == "string":
        return pd.Series([np.nan if one is None else one for one in values], dtype=object)
    if column.kind == "integer" and all(one is not None for one in values):
        return pd.Series([int(one) for one in values], dtype="int64")
    return pd.Series([np.nan if one is None else float(one) for one in values], dtype="float64")


def is_classifier(model):
    from sklearn.base import is_classifier as ask, is_outlier_detector

    if boosting.is_boosted(model):
        return hasattr(model, "classes_") and len(np.atleast_1d(model.classes_)) > 0
    return ask(model) and not is_outlier_detector(model)


def is_outlier_detector(model):
    from sklearn.base import is_outlier_detector as ask

    return not boosting.is_boosted(model) and ask(model) and hasattr(model, "decision_function")


def is_multilabel(model):
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    binarizer = getattr(last, "_label_binarizer", None)
    return getattr(binarizer, "y_type_", "") == "multilabel-indicator" or getattr(last, "multilabel_", False)


def plain_class(value):
    """A class as the answers have it: text, or a number without a fraction."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        if float(value).is_integer():
            return int(value)
        raise Refusal(f"The model has the class {value}, a number with a fraction, which ONNX's classifiers do not have.")
    return str(value)
