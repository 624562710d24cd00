"""Columns of categories in models of LightGBM and XGBoost: what they are, and the graph that makes the trees' numbers of them."""

import json
import re

import onnx
from onnx import TensorProto, helper

from refusal import Refusal

# LabelEncoder gives floats for texts from here on.
ML_OPSET = 3


def read_lightgbm(booster, columns, frame):
    """Notes which of the columns are categories. A number of a tree is the place of a category of pandas, or the category itself."""
    infos = re.search(r"^feature_infos=(.*)$", booster.model_to_string(), re.M)[1].split()
    known = booster.pandas_categorical or []
    paired = dict(zip(places_of(known, infos, columns, frame), known))
    for at, (column, info) in enumerate(zip(columns, infos)):
        if at in paired:
            note(column, paired[at], list(range(len(paired[at]))))
        elif info != "none" and not info.startswith("["):
            note(column, sorted({int(one) for one in info.split(":")} - {-1}), None)


def places_of(known, infos, columns, frame):
    """
    The columns of pandas categories, of which the file has the lists in order, but not the names. Other columns may be categories too
    (categorical_feature), and these may be plain numbers to the trees (if they are ordered). So only one way to pair them will do.
    """

    def fits(at, values):
        return has_places(infos[at], len(values))

    def fits_frame(at, values):
        return fits(at, values) and is_alike(frame[columns[at].name], values)

    ways = pairings(known, len(columns), fits)
    if len(ways) > 1 and frame is not None:
        ways = pairings(known, len(columns), fits_frame)
    if len(ways) == 1:
        return ways[0]
    named = ", ".join(columns[at].name for at in range(len(columns)) if any(fits(at, values) for values in known))
    raise Refusal(
        f"The model was trained on {len(known)} columns of categories of pandas, and its file does not say which ones: {named or 'none of them fits'}. "
        "--data tells columns of texts from columns of numbers. Where that is not enough, train it with categories of texts."
    )


def pairings(known, count, fits):
    """The ways to give each list a column of its own, in order: none, the only one, or the first and the last of several."""

    def first(lists, places):
        places = iter(places)
        found = [next((at for at in places if fits(at, values)), None) for values in lists]
        return None if None in found else found

    early, late = first(known, range(count)), first(known[::-1], reversed(range(count)))
    if early is None:
        return []
    return [early] if early == late[::-1] else [early, late[::-1]]


def has_places(info, count):
    """Whether all numbers that LightGBM saw in a column are places in a list of so many. It says nothing of a column of one value."""
    if info == "none" or count == 0:
        return count > 0
    seen = {float(one) for one in info.strip("[]").split(":")} - (set() if info.startswith("[") else {-1.0})
    return all(one.is_integer() and 0 <= one < count for one in seen)


def is_alike(series, values):
    """Whether a column of the user's data has texts as the categories have, or numbers. No file keeps more of categories that are numbers."""
    from pandas.api.types import is_numeric_dtype

    return is_numeric_dtype(series.dtype) != isinstance(values[0], str)


def read_xgboost(booster, columns):
    """Notes which of the columns are categories. A number of a tree is a category's place."""
    encoded = learner_of(booster)["gradient_booster"]["model"].get("cats", {}).get("enc", [])
    for at, column in enumerate(columns):
        if booster.feature_types[at] != "c":
            continue
        values = values_of(encoded[at]) if encoded else []
        if not values:
            raise Refusal(
                "The model has columns of categories (enable_categorical), and its file does not say what they are called: train it on a data frame with XGBoost 3.1 or later."
            )
        note(column, values, list(range(len(values))))


def learner_of(booster):
    return json.loads(booster.save_raw("json"))["learner"]


def values_of(encoded):
    """Texts lie in one row of bytes, with where each begins and ends."""
    if "offsets" not in encoded:
        return encoded["values"]
    if any(one < 0 for one in encoded["values"]):
        raise Refusal(
            "The model has categories with letters beyond ASCII, which XGBoost cuts off when it saves them: it counts letters, and writes bytes. Give them names of plain letters."
        )
    whole, ends = bytes(encoded["values"]), encoded["offsets"]
    return [whole[start:end].decode() for start, end in zip(ends, ends[1:])]


def note(column, values, codes):
    column.categories, column.codes = values, codes
    if all(isinstance(one, str) for one in values):
        column.kind = "string"
    elif all(type(one) is int for one in values):
        column.kind = "integer"
    else:
        raise Refusal(f"The column {column.name} has categories that are neither texts nor whole numbers: {', '.join(map(str, values[:5]))}.")


def frame_of(columns, values):
    """A data frame of pandas with the categories as such."""
    import pandas as pd

    return pd.DataFrame({column.name: series(pd, column, one) for column, one in zip(columns, values)})


def series(pd, column, values):
    if column.codes is None:
        return pd.Series(values, dtype="float64")
    seen = [one for one in values if one is not None]
    return pd.Series(pd.Categorical(values, categories=list(dict.fromkeys([*column.categories, *seen]))))


def with_columns(made, columns):
    """The same graph with an input for each column, where categories become the numbers of the trees."""
    names = {column.name for column in columns}
    hides = any(one.name in names for one in made.graph.output)
    made = onnx.compose.add_prefix(made, "trees/", rename_outputs=hides)
    nodes = []
    for index, column in enumerate(columns):
        number = f"trees/column_{index}"
        if column.codes is not None:
            keys = "keys_strings" if column.kind == "string" else "keys_int64s"
            known = {keys: column.categories, "values_floats": [float(one) for one in column.codes], "default_float": float("nan")}
            nodes.append(helper.make_node("LabelEncoder", [column.name], [number], domain="ai.onnx.ml", **known))
        else:
            nodes.append(helper.make_node("Cast", [column.name], [number], to=TensorProto.FLOAT))
    [whole] = made.graph.input
    nodes.append(helper.make_node("Concat", [f"trees/column_{index}" for index in range(len(columns))], [whole.name], axis=1))
    trees = list(made.graph.node)
    del made.graph.node[:], made.graph.input[:]
    made.graph.node.extend(nodes + trees)
    kinds = {"number": TensorProto.FLOAT, "integer": TensorProto.INT64, "string": TensorProto.STRING}
    made.graph.input.extend(helper.make_tensor_value_info(column.name, kinds[column.kind], [None, 1]) for column in columns)
    for opset in made.opset_import:
        if opset.domain == "ai.onnx.ml":
            opset.version = max(opset.version, ML_OPSET)
    return made

