"""Models in the own formats of XGBoost, LightGBM and CatBoost, and how these are exported, also inside pipelines."""

import json
import re
import tempfile

import numpy as np
import onnx

import categories
import category_splits
from refusal import NeedsPackage, Refusal


def load_boosted(path, kind):
    """A model with scikit-learn's methods. None of these formats runs code."""
    try:
        return {"xgboost": load_xgboost, "lightgbm": load_lightgbm, "catboost": load_catboost}[kind](path)
    except ModuleNotFoundError as error:
        raise NeedsPackage(kind) from error
    except (Refusal, MemoryError):
        raise
    except Exception as error:
        raise Refusal(f"The file cannot be loaded: {type(error).__name__}: {' '.join(str(error).split())[:300]}") from error


def load_xgboost(path):
    import xgboost

    booster = xgboost.Booster(model_file=path)
    objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
    if objective.startswith("survival:"):
        raise Refusal(f"The model has the objective {objective}: it is no classifier and no regression.")
    is_class = objective in ("binary:logistic", "multi:softprob", "multi:softmax")
    if objective in ("binary:logitraw", "binary:hinge"):
        raise Refusal(f"The model has the objective {objective}, which has no probabilities. Train it with binary:logistic.")
    if objective.startswith("rank:"):
        model = regressor_of(booster)
    else:
        model = xgboost.XGBClassifier() if is_class else xgboost.XGBRegressor()
        model.load_model(path)
    check_trees(model)
    return model


def regressor_of(booster):
    """XGBoost's ranker as a regressor, which has the same trees, and which onnxmltools knows."""
    import xgboost

    model = xgboost.XGBRegressor()
    # It names the class of scikit-learn that was saved.
    booster.set_attr(scikit_learn=None)
    model.load_model(booster.save_raw())
    return model


def check_trees(model):
    """Raises Refusal for a model of XGBoost whose trees onnxmltools does not write as they are."""
    if not type(model).__module__.startswith("xgboost"):
        return
    booster = model.get_booster()
    kind = json.loads(booster.save_config())["learner"]["gradient_booster"]["name"]
    if kind != "gbtree":
        raise Refusal(f"The model was trained with booster={kind}, which convert does not take. Train it with booster=gbtree.")


def load_lightgbm(path):
    import lightgbm

    booster = lightgbm.Booster(model_file=path)
    return LightGBM(booster)


class LightGBM:
    """A Booster with scikit-learn's methods."""

    def __init__(self, booster):
        self.booster = booster
        text = booster.model_to_string()
        objective = (re.search(r"^objective=(.*)$", text, re.M) or ["", "none"])[1].split()
        self.objective = objective[0]
        self.n_features_in_ = booster.num_feature()
        names = booster.feature_name()
        if names != [f"Column_{index}" for index in range(len(names))]:
            self.feature_names_in_ = np.array(names, dtype=object)
        if self.objective in ("binary", "multiclass", "multiclassova"):
            self.classes_ = np.arange(max(2, booster.num_model_per_iteration()))
            self.predict_proba = self.probabilities

    def get_params(self, deep=False):
        return {}

    def probabilities(self, x):
        found = self.booster.predict(x)
        return np.stack([1 - found, found], axis=1) if found.ndim == 1 else found

    def predict(self, x):
        if hasattr(self, "classes_"):
            return self.classes_[self.probabilities(x).argmax(axis=1)]
        return self.booster.predict(x)


def lightgbm_of(model):
    """The Booster of a model of LightGBM. None for others."""
    if isinstance(model, LightGBM):
        return model.booster
    return model.booster_ if type(model).__module__.split(".")[0] == "lightgbm" else None


def read_categories(model, columns, frame):
    """Notes which columns of a model that is no part of a pipeline are categories."""
    booster = lightgbm_of(model)
    if booster is not None:
        categories.read_lightgbm(booster, columns, frame)
    elif has_category_splits(model):
        categories.read_xgboost(model.get_booster(), columns)


def has_category_splits(model):
    return type(model).__module__.startswith("xgboost") and "c" in (model.get_booster().feature_types or [])


def load_catboost(path):
    from catboost import CatBoost, CatBoostClassifier, CatBoostRegressor

    model = CatBoost()
    model.load_model(path)
    if model.get_cat_feature_indices() or model.get_text_feature_indices():
        raise Refusal("The model has columns of categories or texts, which CatBoost itself does not export to ONNX. Encode them in front of the model.")
    loss = str(model.get_all_params().get("loss_function"))
    is_class = loss.split(":")[0] in ("Logloss", "CrossEntropy", "MultiClass", "MultiClassOneVsAll")
    own = CatBoostClassifier() if is_class else CatBoostRegressor()
    own.load_model(path)
    return own


def points_of(model, count):
    """The numbers that trees compare with, by column. None for other models."""
    module = type(model).__module__.split(".")[0]
    found = [[] for _ in range(count)]
    if module == "catboost":
        for column, borders in model.get_borders().items():
            found[int(column)] += [float(one) for one in borders]
    elif module == "xgboost":
        names = model.get_booster().feature_names
        for row in model.get_booster().trees_to_dataframe().itertuples():
            if row.Feature != "Leaf":
                found[names.index(row.Feature) if names else int(row.Feature[1:])].append(float(row.Split))
    elif booster := lightgbm_of(model):
        for tree in re.split(r"^Tree=", booster.model_to_string(), flags=re.M)[1:]:
            lines = dict(line.split("=", 1) for line in tree.split("\n") if "=" in line)
            for column, number in zip(lines.get("split_feature", "").split(), lines.get("threshold", "").split()):
                found[int(column)].append(float(number))
    else:
        return None
    return found


def is_boosted(model):
    return isinstance(model, LightGBM) or type(model).__module__.split(".")[0] in ("xgboost", "lightgbm", "catboost")


def export_boosted(model, columns):
    """ONNX of a model that is no part of a pipeline, with numbers of float32, as these libraries compare."""
    module = type(model).__module__.split(".")[0]
    if module == "catboost":
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
            model.save_model(file.name, format="onnx")
            return onnx.load(file.name)
    from onnxmltools.convert.common.data_types import FloatTensorType

    types = [("features", FloatTensorType([None, len(columns)]))]
    if module == "xgboost":
        from onnxmltools import convert_xgboost

        check_trees(model)
        if type(model).__name__ == "XGBRanker":
            model = regressor_of(model.get_booster())
        has_splits = has_category_splits(model)
        if has_splits:
            model, sets = category_splits.as_numbers(model)
        # The converter knows columns by numbers.
        model.get_booster().feature_names = None
        made = convert_xgboost(model, initial_types=types, target_opset=15)
        if not has_splits:
            return made
        places = {at for at, column in enumerate(columns) if column.codes is not None}
        return categories.with_columns(category_splits.with_splits(made, sets, places), columns)
    from onnxmltools import convert_lightgbm

    made = convert_lightgbm(lowered(lightgbm_of(model)), initial_types=types, target_opset=15, zipmap=False)
    if all(column.kind == "number" for column in columns):
        return made
    return categories.with_columns(made, columns)


# LightGBM takes smaller numbers for 0, on either side, and this one too.
ZERO = np.float32(1e-35)


def lowered(booster):
    """LightGBM compares doubles. For a float32 x, x <= t means the same as x <= the greatest float32 that is not above t."""
    import lightgbm

    def line(match):
        numbers = np.array([float(one) for one in match[1].split()])
        numbers = np.where((numbers >= -ZERO) & (numbers < 0), np.nextafter(-ZERO, np.float32(-1)), float32_below(numbers))
        return "threshold=" + " ".join(repr(float(one)) for one in numbers)

    text = re.sub(r"^threshold=(.*)$", line, booster.model_to_string(), flags=re.M)
    # The sizes of the trees in the text are no longer right, and not needed.
    text = re.sub(r"^tree_sizes=.*\n", "", text, flags=re.M)
    return lightgbm.Booster(model_str=text)


def float32_below(numbers):
    with np.errstate(over="ignore"):
        near = numbers.astype(np.float32)
        return np.where(near.astype(float) <= numbers, near, np.nextafter(near, np.float32(-np.inf))).astype(float)


def register():
    """Tells skl2onnx how these models are exported inside pipelines of scikit-learn."""
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes, calculate_linear_regressor_output_shapes

    options = {"nocl": [True, False], "zipmap": [True, False, "columns"]}
    classes, numbers = calculate_linear_classifier_output_shapes, calculate_linear_regressor_output_shapes
    try:
        from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
        from xgboost import XGBClassifier, XGBRanker, XGBRegressor

        update_registered_converter(XGBClassifier, "XGBoostXGBClassifier", classes, convert_xgboost, options=options)
        update_registered_converter(XGBRegressor, "XGBoostXGBRegressor", numbers, convert_xgboost)
        update_registered_converter(XGBRanker, "XGBoostXGBRanker", numbers, convert_xgboost)
    except ImportError:
        pass
    try:
        from lightgbm import LGBMClassifier, LGBMRanker, LGBMRegressor
        from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm

        update_registered_converter(LGBMClassifier, "LightGbmLGBMClassifier", classes, convert_lightgbm, options=options)
        update_registered_converter(LGBMRegressor, "LightGbmLGBMRegressor", numbers, convert_lightgbm, options={"split": None})
        update_registered_converter(LGBMRanker, "LightGbmLGBMRanker", numbers, convert_lightgbm, options={"split": None})
    except ImportError:
        pass
