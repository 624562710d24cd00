"""INT8 forms of an ONNX file: quantize.py FORM SOURCE TARGET [CALIBRATION].

FORM is rows, weights, dynamic or static. CALIBRATION is the folder of what static runs: a numbered folder for each run,
with a NumPy file for each input and names.json, which says which.
"""

import json
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import onnx
import onnx.version_converter
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

STORED = ["Conv", "ConvTranspose", "Gather", "Gemm", "MatMul"]
# In the static form. Not MatMul: what attention multiplies has no range that 256 steps fit.
SUMS = ["Conv", "ConvTranspose", "Gemm"]
# What each form helps.
HELPED = {
    "rows": STORED,
    "weights": STORED,
    "dynamic": ["Attention", "Conv", "Gather", "Gemm", "LSTM", "MatMul"],
    "static": SUMS,
}
# These, and what keeps the range of their numbers.
STATIC = [*SUMS, "Add", "AveragePool", "Clip", "Concat", "GlobalAveragePool", "MaxPool", "Relu"]
# Fewer numbers save nothing.
LEAST_NUMBERS = 1024
# From this opset on, DequantizeLinear has a scale for each channel.
OPSET = 13


def main(form, source, target, calibration=None):
    operators = {node.op_type for node in onnx.load(source, load_external_data=False).graph.node}
    if any("Integer" in name or "QuantizeLinear" in name or name.endswith("NBits") for name in operators):
        sys.exit("The model is quantised already.")
    if not operators & set(HELPED[form]):
        other = " Try --form dynamic." if operators & set(HELPED["dynamic"]) else ""
        sys.exit(f"The graph has none of the operators that this form helps: {', '.join(sorted(HELPED[form]))}.{other}")
    if form == "dynamic":
        # Gather's table would get one scale. Weights are unsigned: signed ones can overflow on x64 processors without
        # VNNI, and then answer differently from WASM and from newer processors.
        kinds = [kind for kind in HELPED[form] if kind != "Gather"]
        quantize_dynamic(source, target, op_types_to_quantize=kinds, per_channel=True, weight_type=QuantType.QUInt8)
        onnx.save(store_in_bytes(onnx.load(target), ["Gather"]), target)
    elif form == "static":
        static(source, target, calibration)
        rest = [kind for kind in STORED if kind not in SUMS]
        onnx.save(store_in_bytes(onnx.load(target), rest), target)
    else:
        onnx.save(store_in_bytes(onnx.load(source), STORED, joins=form == "rows"), target)


def static(source, target, calibration):
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "model.onnx"
        # Joins each convolution with the normalisation behind it.
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        model = onnx.load(prepared)
        makers = {name: node.op_type for node in model.graph.node for name in node.output}
        for index, node in enumerate(model.graph.node):
            node.name = node.name or f"node_{index}"
        # Others may add a mask, of numbers that leave no steps for the rest.
        left = [
            node.name
            for node in model.graph.node
            if node.op_type == "Add" and not any(makers.get(name) in STATIC for name in node.input)
        ]
        onnx.save(model, prepared)
        quantize_static(
            prepared,
            target,
            Runs(calibration),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=STATIC,
            nodes_to_exclude=left,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # With 8 bits, processors without VNNI saturate the sums of two products and answer otherwise.
            reduce_range=True,
        )


class Runs(CalibrationDataReader):
    def __init__(self, folder):
        self.folders = iter(sorted(Path(folder).iterdir()))

    def get_next(self):
        folder = next(self.folders, None)
        if folder is None:
            return None
        names = json.loads((folder / "names.json").read_text(encoding="utf-8"))
        return {name: np.load(folder / file) for name, file in names.items()}


def store_in_bytes(model, operators, joins=False):
    """Stores weights in signed bytes with a scale for each channel, of which the graph makes floats when it runs.

    With `joins`, native ONNX Runtime may join that with the MatMul behind it, and then sums in 8 bits, row by row.
    """
    opset = next(one for one in model.opset_import if one.domain in ("", "ai.onnx"))
    if opset.version < OPSET:
        model = onnx.version_converter.convert_version(model, OPSET)
    graph = model.graph
    uses = defaultdict(list)
    for node in graph.node:
        for place, name in enumerate(node.input):
            uses[name].append((node, place))
    kept = {value.name for value in graph.output} | names_within(graph)
    for tensor in list(graph.initializer):
        axes = {channel_axis(node, place, tensor, operators) for node, place in uses[tensor.name]}
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < LEAST_NUMBERS:
            continue
        if tensor.name in kept or len(axes) != 1 or None in axes:
            continue
        replace(graph, tensor, axes.pop(), [node for node, _ in uses[tensor.name]], joins)
    return model


def channel_axis(node, place, tensor, operators):
    """Which axis of a weight is that of the channels. "rows" where single rows are looked up."""
    if node.op_type not in operators or node.domain not in ("", "ai.onnx"):
        return None
    attributes = {one.name: one.i for one in node.attribute}
    axes = len(tensor.dims)
    if node.op_type == "Gather" and place == 0 and axes == 2 and attributes.get("axis", 0) == 0:
        return "rows"
    if node.op_type == "MatMul" and place == 1 and axes == 2:
        return 1
    if node.op_type == "Gemm" and place == 1:
        return 0 if attributes.get("transB") else 1
    if node.op_type == "Conv" and place == 1:
        return 0
    if node.op_type == "ConvTranspose" and place == 1 and attributes.get("group", 1) == 1:
        return 1
    return None


def replace(graph, tensor, axis, users, joins):
    weights = numpy_helper.to_array(tensor)
    channel = 0 if axis == "rows" else axis
    others = tuple(one for one in range(weights.ndim) if one != channel)
    largest = np.abs(weights).max(axis=others, keepdims=True)
    scales = np.where(largest == 0, 1, largest / 127).astype(np.float32)
    levels = np.clip(np.rint(weights / scales), -127, 127).astype(np.int8)
    name = tensor.name
    stored, scale = f"{name}_int8", f"{name}_scale"
    graph.initializer.remove(tensor)
    if axis == "rows":
        graph.initializer.append(numpy_helper.from_array(levels, stored))
        graph.initializer.append(numpy_helper.from_array(scales, scale))
        for node in users:
            look_up(graph, node, stored, scale)
        return
    graph.initializer.append(numpy_helper.from_array(scales.reshape(-1), scale))
    # ONNX Runtime leaves DequantizeLinear as it is when it loads a graph, so memory holds bytes, and floats while it runs.
    if joins:
        graph.initializer.append(numpy_helper.from_array(levels, stored))
        graph.node.insert(0, helper.make_node("DequantizeLinear", [stored, scale], [name], axis=axis))
        return
    graph.initializer.append(numpy_helper.from_array(levels[None], stored))
    floats = f"{name}_floats"
    graph.node.insert(0, helper.make_node("DequantizeLinear", [stored, scale], [floats], axis=axis + 1))
    graph.node.insert(1, helper.make_node("Squeeze", [floats, first_axis(graph)], [name]))


def first_axis(graph):
    name = "first_axis_int8"
    if all(tensor.name != name for tensor in graph.initializer):
        graph.initializer.append(numpy_helper.from_array(np.array([0], np.int64), name))
    return name


def look_up(graph, gather, stored, scale):
    """Makes floats of the rows that are looked up, and not of the whole table."""
    at = list(graph.node).index(gather)
    _, rows = gather.input
    (output,) = gather.output
    levels, floats, scales = (f"{output}_{part}" for part in ("levels", "floats", "scales"))
    graph.node.remove(gather)
    for offset, node in enumerate([
        helper.make_node("Gather", [stored, rows], [levels], axis=0),
        helper.make_node("Cast", [levels], [floats], to=TensorProto.FLOAT),
        helper.make_node("Gather", [scale, rows], [scales], axis=0),
        helper.make_node("Mul", [floats, scales], [output]),
    ]):
        graph.node.insert(at + offset, node)


def names_within(graph):
    """The tensors that graphs within nodes use."""
    names = set()
    for node in graph.node:
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                names |= {name for one in inner.node for name in one.input} | names_within(inner)
                names |= {value.name for value in inner.output}
    return names


if __name__ == "__main__":
    main(*sys.argv[1:])
