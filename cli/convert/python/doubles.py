"""Graphs of doubles that ONNX Runtime can run, and that compare as scikit-learn does."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from skl2onnx.common import tree_ensemble

_threshold = tree_ensemble.sklearn_threshold


def thresholds_of_floats(value, _dtype, mode):
    """scikit-learn's trees compare float32, whatever they are given. So does the graph, behind a cast."""
    return _threshold(value, np.float32, mode)


tree_ensemble.sklearn_threshold = thresholds_of_floats


def mend(model, estimators):
    """Writes imputers with operators that take doubles, and has trees compare float32."""
    graph = model.graph
    fills = [np.asarray(one.statistics_, dtype=float) for one in estimators if is_imputer(one)]
    nodes = []
    for node in graph.node:
        if node.op_type == "Imputer":
            nodes += imputer(graph, node, fills)
        elif node.op_type.startswith("TreeEnsemble"):
            single = f"{node.input[0]}_as_float32_for_{node.output[0]}"
            nodes += [helper.make_node("Cast", [node.input[0]], [single], to=TensorProto.FLOAT)]
            node.input[0] = single
            nodes.append(node)
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    scores = {name for node in nodes if node.op_type.startswith("TreeEnsemble") for name in node.output}
    for output in graph.output:
        # Trees answer with float32, whatever their converter declares.
        if output.name in scores and output.type.tensor_type.elem_type == TensorProto.DOUBLE:
            output.type.tensor_type.elem_type = TensorProto.FLOAT
    return model


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
