"""INT8 forms of an ONNX file: quantize.py FORM SOURCE TARGET [CALIBRATION].

FORM is rows, weights, dynamic or static. CALIBRATION is the folder of what static runs: a numbered folder for each run,
with a NumPy file for each input and names.json, which says which.
"""

import json
import sys
import tempfile
from collections import Counter, defaultdict
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
NUMBERS = [TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE]
BYTES = [TensorProto.INT8, TensorProto.UINT8]
# From this opset on, DequantizeLinear has a scale for each channel.
OPSET = 13


def main(form, source, target, calibration=None):
    model = with_plain_weights(onnx.load(source))
    operators = {node.op_type for node in model.graph.node}
    if not operators & set(HELPED[form]):
        other = " Try --form dynamic." if operators & set(HELPED["dynamic"]) else ""
        sys.exit(f"The graph has none of the operators that this form helps: {', '.join(sorted(HELPED[form]))}.{other}")
    if form in ("dynamic", "static"):
        check_for_library(model.graph)
    before = in_bytes(model)
    reason = why_no_weight(model, form)
    if form == "dynamic":
        # Gather's table would get one scale. Weights are unsigned: signed ones can overflow on x64 processors without
        # VNNI, and then answer differently from WASM and from newer processors.
        kinds = [kind for kind in HELPED[form] if kind != "Gather"]
        onnx.save(model, target)
        quantize_dynamic(target, target, op_types_to_quantize=kinds, per_channel=True, weight_type=QuantType.QUInt8)
        made = store_in_bytes(onnx.load(target), ["Gather"])
    elif form == "static":
        static(model, target, calibration)
        rest = [kind for kind in STORED if kind not in SUMS]
        made = store_in_bytes(onnx.load(target), rest)
    else:
        made = store_in_bytes(model, STORED, joins=form == "rows")
    if in_bytes(made) == before:
        sys.exit(reason)
    onnx.save(made, target)


def check_for_library(graph):
    """ONNX Runtime's own quantiser makes wrong graphs of these, without a word."""
    others = {TensorProto.DataType.Name(one.data_type) for one in graph.initializer if is_large(one)} - {"FLOAT"}
    if others:
        sys.exit(f"The graph has weights of {', '.join(sorted(others))}, and this form takes FLOAT alone.")
    names = names_in(graph)
    for name in sorted(names):
        for end in ("_quantized", "_scale", "_zero_point"):
            if name + end in names:
                sys.exit(f"The graph has {name} and {name}{end}, which is what this form would add. Try --form rows.")


def static(model, target, calibration):
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "model.onnx"
        onnx.save(model, prepared)
        # Joins each convolution with the normalisation behind it.
        quant_pre_process(prepared, prepared, skip_symbolic_shape=True)
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


def with_plain_weights(model):
    """Makes initializers of constants, and of weights that are transposed or only passed on."""
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer if is_large(tensor)}
    folded = []
    for node in graph.node:
        tensor = plain_weight(node, weights)
        if tensor is not None:
            tensor.name = node.output[0]
            weights[tensor.name] = tensor
            graph.initializer.append(tensor)
            folded.append(node)
    for node in folded:
        graph.node.remove(node)
    used = {name for node in graph.node for name in node.input} | names_kept(graph)
    for tensor in list(graph.initializer):
        if tensor.name in weights and tensor.name not in used:
            graph.initializer.remove(tensor)
    # From IR 4 on, a weight need not be an input too, which could replace it.
    model.ir_version = max(model.ir_version, 4)
    for value in list(graph.input):
        if value.name in weights:
            graph.input.remove(value)
    return model


def is_large(tensor):
    return tensor.data_type in NUMBERS and np.prod(tensor.dims) >= LEAST_NUMBERS


def plain_weight(node, weights):
    """The tensor that a node always gives, if it is a weight."""
    attributes = {one.name: one for one in node.attribute}
    if node.op_type == "Constant" and "value" in attributes and is_large(attributes["value"].t):
        return copy(attributes["value"].t)
    weight = weights.get(node.input[0]) if node.input else None
    if weight is None or node.domain not in ("", "ai.onnx"):
        return None
    if node.op_type == "Identity":
        return copy(weight)
    if node.op_type == "Transpose":
        axes = list(attributes["perm"].ints) if "perm" in attributes else None
        return numpy_helper.from_array(np.ascontiguousarray(numpy_helper.to_array(weight).transpose(axes)))
    return None


def copy(tensor):
    made = TensorProto()
    made.CopyFrom(tensor)
    return made


def in_bytes(model):
    """How many tensors have their numbers in bytes."""
    return sum(
        tensor.data_type in BYTES and np.prod(tensor.dims) >= LEAST_NUMBERS for tensor in model.graph.initializer
    )


def why_no_weight(model, form):
    """What is said where no weight could be stored in bytes."""
    reasons = Counter()
    for tensor in model.graph.initializer:
        if tensor.data_type not in NUMBERS:
            continue
        if not is_large(tensor):
            reasons[f"fewer than {LEAST_NUMBERS} numbers"] += 1
        elif tensor.data_type != TensorProto.FLOAT:
            reasons[f"numbers of {TensorProto.DataType.Name(tensor.data_type)} and not of FLOAT"] += 1
        else:
            reasons[f"another use than as the weights of {', '.join(sorted(HELPED[form]))}"] += 1
    counted = "; ".join(f"{count} {'has' if count == 1 else 'have'} {reason}" for reason, count in reasons.items())
    return f"None of the graph's weights can be stored in bytes: {counted or 'it has none'}."


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
    kept = names_kept(graph)
    mark = unused_mark(graph)
    for tensor in list(graph.initializer):
        axes = {channel_axis(node, place, tensor, operators) for node, place in uses[tensor.name]}
        if tensor.data_type != TensorProto.FLOAT or not is_large(tensor):
            continue
        if tensor.name in kept or len(axes) != 1 or None in axes:
            continue
        replace(graph, tensor, axes.pop(), [node for node, _ in uses[tensor.name]], mark, joins)
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


def replace(graph, tensor, axis, users, mark, joins):
    weights = numpy_helper.to_array(tensor)
    channel = 0 if axis == "rows" else axis
    others = tuple(one for one in range(weights.ndim) if one != channel)
    largest = np.abs(weights).max(axis=others, keepdims=True)
    scales = np.where(largest == 0, 1, largest / 127).astype(np.float32)
    levels = np.clip(np.rint(weights / scales), -127, 127).astype(np.int8)
    name = tensor.name
    stored, scale = f"{name}{mark}", f"{name}{mark}_scale"
    graph.initializer.remove(tensor)
    if axis == "rows":
        graph.initializer.append(numpy_helper.from_array(levels, stored))
        graph.initializer.append(numpy_helper.from_array(scales, scale))
        for node in users:
            look_up(graph, node, stored, scale, mark)
        return
    graph.initializer.append(numpy_helper.from_array(scales.reshape(-1), scale))
    # ONNX Runtime leaves DequantizeLinear as it is when it loads a graph, so memory holds bytes, and floats while it runs.
    if joins:
        graph.initializer.append(numpy_helper.from_array(levels, stored))
        graph.node.insert(0, helper.make_node("DequantizeLinear", [stored, scale], [name], axis=axis))
        return
    graph.initializer.append(numpy_helper.from_array(levels[None], stored))
    floats = f"{name}{mark}_floats"
    graph.node.insert(0, helper.make_node("DequantizeLinear", [stored, scale], [floats], axis=axis + 1))
    graph.node.insert(1, helper.make_node("Squeeze", [floats, first_axis(graph, mark)], [name]))


def first_axis(graph, mark):
    name = f"axis{mark}_first"
    if all(tensor.name != name for tensor in graph.initializer):
        graph.initializer.append(numpy_helper.from_array(np.array([0], np.int64), name))
    return name


def look_up(graph, gather, stored, scale, mark):
    """Makes floats of the rows that are looked up, and not of the whole table."""
    at = list(graph.node).index(gather)
    _, rows = gather.input
    (output,) = gather.output
    levels, floats, scales = (f"{output}{mark}_{part}" for part in ("levels", "floats", "scales"))
    graph.node.remove(gather)
    for offset, node in enumerate([
        helper.make_node("Gather", [stored, rows], [levels], axis=0),
        helper.make_node("Cast", [levels], [floats], to=TensorProto.FLOAT),
        helper.make_node("Gather", [scale, rows], [scales], axis=0),
        helper.make_node("Mul", [floats, scales], [output]),
    ]):
        graph.node.insert(at + offset, node)


def unused_mark(graph):
    """What no name has, so that names made with it are new."""
    names = names_in(graph)
    mark = "_int8"
    while any(mark in name for name in names):
        mark += "_"
    return mark


def names_in(graph):
    names = {value.name for value in [*graph.input, *graph.output, *graph.initializer]} | names_within(graph)
    for node in graph.node:
        names |= {*node.input, *node.output}
    return names


def names_kept(graph):
    """The tensors that must stay as they are."""
    return {value.name for value in graph.output} | names_within(graph)


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
