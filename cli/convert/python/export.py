"""Exports a fitted scikit-learn model to ONNX, as its answers are and not only as its converter likes."""

import copy
import warnings

import numpy as np
import onnx

import boosting
import doubles
from columns import is_missing
from refusal import Refusal

OPSET = {"": 18, "ai.onnx.ml": 3}
_make_attribute = onnx.helper.make_attribute


def plain_integers(key, value, *more, **options):
    """skl2onnx 1.20 gives onnx the numbers of HistGradientBoosting's nodes as unsigned ones, which it does not take."""
    if isinstance(value, list) and value and isinstance(value[0], np.integer):
        value = [int(one) for one in value]
    if key == "nodes_values":
        doubles.remember(value)
    return _make_attribute(key, value, *more, **options)


onnx.helper.make_attribute = plain_integers


def precisions(model, columns):
    """With which numbers a model can be exported."""
    if columns is None or boosting.is_boosted(model):
        return ["float"]
    # Its splits are numbers of the training data, so that rounding to float32 would move rows to the other side.
    if any(hasattr(one, "_predictors") for one in parts(model)):
        return ["double"]
    return ["float", "double"]


def export(model, columns, precision):
    """ONNX of a model, and what `--scores` must say of it (or None). `precision` is float or double."""
    from skl2onnx import to_onnx

    if boosting.is_boosted(model):
        return exported(model, columns), None
    if any(type(one).__name__ == "KNNImputer" for one in parts(model)):
        raise Refusal("The graph that skl2onnx writes for a KNNImputer ends ONNX Runtime with a division by zero. Train with a SimpleImputer.")
    boosting.register()
    model = copy.deepcopy(model)
    without_text_imputers(model)
    without_flat_votes(model)
    errors = []
    for options, scores in options_of(model):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made = to_onnx(model, initial_types=types_of(columns, precision), options=options, target_opset=OPSET)
            del made.metadata_props[:]
            return (doubles.mend(made, list(parts(model))) if precision == "double" else made), scores
        except Exception as error:
            errors.append(error)
    first = errors[0]
    raise Refusal(f"skl2onnx cannot convert it: {type(first).__name__}: {' '.join(str(first).split())[:600]}")


def exported(model, columns):
    try:
        return boosting.export_boosted(copy.deepcopy(model), columns)
    except (Refusal, MemoryError):
        raise
    except Exception as error:
        raise Refusal(f"Its own converter cannot convert it: {type(error).__name__}: {' '.join(str(error).split())[:600]}") from error


def types_of(columns, precision):
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType

    number = FloatTensorType if precision == "float" else DoubleTensorType
    if columns is None:
        return [("text", StringTensorType([None, 1]))]
    if all(column.kind == "number" for column in columns):
        return [("features", number([None, len(columns)]))]
    kinds = {"number": number, "integer": Int64TensorType, "string": StringTensorType}
    return [(column.name, kinds[column.kind]([None, 1])) for column in columns]


def options_of(model):
    """Options to try in order. Not every converter knows each."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.svm import LinearSVC

    last = model.steps[-1][1] if hasattr(model, "steps") else model
    if isinstance(last, LinearDiscriminantAnalysis) and len(last.classes_) == 2:
        # Its converter takes a softmax of d and -d, where scikit-learn takes a sigmoid of d.
        return [({id(model): {"zipmap": False, "raw_scores": True}}, "sigmoid")]
    if isinstance(last, LinearSVC):
        return [({id(last): {"raw_scores": True}}, None)]
    return [({id(model): {"zipmap": False}}, None), ({}, None)]


def without_text_imputers(model):
    """An imputer of texts is left out of the graph: the manifest has what it puts for a missing one."""
    for one in parts(model):
        if hasattr(one, "steps"):
            one.steps = [(name, step) for name, step in one.steps if not is_text_imputer(step)] or one.steps


def without_flat_votes(model):
    """A form of VotingClassifier's transform, which predict does not use, and which its converter refuses."""
    for one in parts(model):
        if hasattr(one, "flatten_transform"):
            one.flatten_transform = False


def is_text_imputer(step):
    fills = getattr(step, "statistics_", [])
    return type(step).__name__ == "SimpleImputer" and is_missing(step.missing_values) and any(isinstance(one, str) for one in fills)


def parts(model, depth=0):
    """The model and all estimators in it."""
    if isinstance(model, (list, tuple, np.ndarray)):
        for one in np.ravel(np.asarray(model, dtype=object)) if isinstance(model, np.ndarray) else model:
            yield from parts(one, depth + 1)
    elif hasattr(model, "get_params") and depth < 20:
        yield model
        for name, value in vars(model).items():
            if name.endswith("_") or name == "steps":
                yield from parts(value, depth + 1)
