"""Graphs that have the same weights in many ways: python weights.py FOLDER (needs onnx and numpy)."""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE = 64
FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16
WEIGHTS = np.random.default_rng(0).standard_normal((SIZE, SIZE)).astype(np.float32)


def main(folder):
    multiply = node("MatMul", "x w", "y")
    save(folder / "constant.onnx", [node("Constant", "", "w", value=tensor("w", WEIGHTS)), multiply])
    through = {"w": WEIGHTS}
    save(folder / "transposed.onnx", [node("Transpose", "w", "v"), node("MatMul", "x v", "y")], through)
    save(folder / "passed-on.onnx", [node("Identity", "w", "v"), node("MatMul", "x v", "y")], through)
    # As old exporters and keep_initializers_as_inputs make them.
    save(folder / "inputs-too.onnx", [multiply], through, inputs=[value("w", FLOAT, [SIZE, SIZE])])
    oldest = {"inputs": [value("w", FLOAT, [SIZE, SIZE])], "ir": 3, "opset": 8}
    save(folder / "ir-3.onnx", [multiply], through, **oldest)
    taken = {f"w_{end}": np.full(SIZE, at, np.float32) for at, end in enumerate(["scale", "int8", "int8_scale"], 1)}
    sums = [node("Add", f"sum-{at} {name}", f"sum-{at + 1}") for at, name in enumerate(taken)]
    nodes = [node("MatMul", "x w", "sum-0"), *sums, node("Identity", "sum-3", "y")]
    save(folder / "names-taken.onnx", nodes, through | taken)
    save(folder / "half.onnx", [multiply], {"w": WEIGHTS.astype(np.float16)}, kind=HALF)
    save(folder / "small.onnx", [multiply], {"w": WEIGHTS[:, :15]})
    table = [node("Cast", "x", "rows", to=TensorProto.INT64), node("Gather", "w rows", "y")]
    save(folder / "table.onnx", table, {"w": np.tile(WEIGHTS, (4, 1))}, width=[])
    save(folder / "narrow-table.onnx", table, {"w": WEIGHTS.reshape(-1, 1)}, width=[])
    # What hardly differs before it differs by anything behind it.
    wild = [node("MatMul", "x w", "sum"), node("Mul", "sum thousand", "wave"), node("Sin", "wave", "y")]
    save(folder / "wild.onnx", wild, through | {"thousand": np.array(1000, np.float32)})


def save(path, nodes, weights=None, *, inputs=(), kind=FLOAT, ir=8, opset=17, width=(SIZE,)):
    graph = helper.make_graph(
        nodes,
        "weights",
        [value("x", kind, ["N", *width]), *inputs],
        [value("y", kind, ["N", "numbers"])],
        [tensor(name, numbers) for name, numbers in (weights or {}).items()],
    )
    onnx.save(helper.make_model(graph, ir_version=ir, opset_imports=[helper.make_opsetid("", opset)]), path)


def node(operator, inputs, output, **attributes):
    return helper.make_node(operator, inputs.split(), [output], **attributes)


def tensor(name, numbers):
    return numpy_helper.from_array(numbers, name)


def value(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
