"""Graphs of doubles that ONNX Runtime can run, and that compare as scikit-learn does."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from skl2onnx.common import tree_ensemble

_threshold = tree_ensemble.sklearn_threshold


def thresholds_of_floats(value, _dtype, mode):
    """scikit-learn's trees compare float32, whatever they are given. So does the graph, behind a cast."""
    return _threshold(value, np.float32, mode)


tree_ensemble.sklearn_threshold = thresholds_of_floats


_add_node = tree_ensemble.add_node
_thresholds = []


def remember(values):
    """Keeps a list of thresholds: the attribute that is made of it has them as float32."""
    if not any(values is one for one in _thresholds[-1:]):
        _thresholds.append(values)


def add_node(attributes, *arguments, **more):
    # skl2onnx rounds its list before it makes the attribute, onnxmltools does not.
    remember(attributes["nodes_values"])
    return _add_node(attributes, *arguments, **more)


tree_ensemble.add_node = add_node


def mend(model, estimators):
    """Writes imputers with operators that take doubles, and has trees compare float32."""
    graph = model.graph
    fills = [np.asarray(one.statistics_, dtype=float) for one in estimators if is_imputer(one)]
    nodes = []
    for node in graph.node:
        if node.op_type == "Imputer":
            nodes += imputer(graph, node, fills)
        elif node.op_type.startswith("TreeEnsemble") and keep_thresholds(node):
            nodes.append(node)
        elif node.op_type.startswith("TreeEnsemble"):
            single = f"{node.input[0]}_as_float32_for_{node.output[0]}"
            nodes += [helper.make_node("Cast", [node.input[0]], [single], to=TensorProto.FLOAT)]
            node.input[0] = single
            nodes.append(node)
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    for opset in model.opset_import:
        if opset.domain == "ai.onnx.ml":
            opset.version = max(opset.version, 3)
    for output in graph.output:
        if output.type.tensor_type.elem_type == TensorProto.DOUBLE:
            cast_output(graph, output.name)
    return model


def cast_output(graph, name):
    """Trees answer with float32, whatever their converter declares."""
    own = f"{name}_as_computed"
    for node in graph.node:
        for names in (node.input, node.output):
            for at, one in enumerate(names):
                if one == name:
                    names[at] = own
    graph.node.append(helper.make_node("Cast", [own], [name], to=TensorProto.DOUBLE))


def keep_thresholds(node):
    """Gives a tree its thresholds as doubles again, if they are no float32: HistGradientBoosting and LightGBM compare doubles."""
    values = next(one for one in node.attribute if one.name == "nodes_values")
    rounded = np.asarray(values.floats, dtype=np.float32)
    for exact in (np.asarray(one, dtype=np.float64) for one in _thresholds):
        if exact.shape == rounded.shape and (exact.astype(np.float32) == rounded).all() and (exact != rounded).any():
            node.attribute.remove(values)
            node.attribute.append(helper.make_attribute("nodes_values_as_tensor", numpy_helper.from_array(exact, "thresholds")))
            return True
    return False


def is_imputer(one):
    statistics = getattr(one, "statistics_", None)
    return statistics is not None and np.asarray(statistics).dtype.kind in "fiu"


def imputer(graph, node, fills):
    attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    rounded = np.asarray(attributes["imputed_value_floats"], dtype=np.float32)
    known = [one for one in fills if one.shape == rounded.shape and (one.astype(np.float32) == rounded).all()]
    fill = f"{node.output[0]}_fill"
    graph.initializer.append(numpy_helper.from_array((known or [rounded.astype(float)])[0].reshape(1, -1), fill))
    (source,), (target,) = node.input, node.output
    if not np.isnan(attributes.get("replaced_value_float", 0.0)):
        raise ValueError("an imputer of other values than NaN")
    test = f"{target}_is_missing"
    return [helper.make_node("IsNaN", [source], [test]), helper.make_node("Where", [test, fill, source], [target])]
