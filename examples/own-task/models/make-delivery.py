"""Fits a line to a made-up price list of parcels and writes delivery/1/model.onnx.

Needs numpy and onnx: python make-delivery.py
"""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

random = np.random.default_rng(7)
features = np.column_stack([random.uniform(50, 2500, 200), random.uniform(0.1, 30, 200)])
prices = 4.5 + 0.006 * features[:, 0] + 0.8 * features[:, 1] + random.normal(0, 0.2, 200)

columns = np.column_stack([features, np.ones(len(features))])
*weights, base = np.linalg.lstsq(columns, prices, rcond=None)[0]

graph = helper.make_graph(
    [helper.make_node("Gemm", ["trip", "weights", "base"], ["price"])],
    "delivery",
    [helper.make_tensor_value_info("trip", TensorProto.FLOAT, ["parcels", 2])],
    [helper.make_tensor_value_info("price", TensorProto.FLOAT, ["parcels", 1])],
    [
        numpy_helper.from_array(np.array(weights, np.float32).reshape(2, 1), "weights"),
        numpy_helper.from_array(np.array([base], np.float32), "base"),
    ],
)
model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
checker.check_model(model)
path = Path(__file__).resolve().parent / "delivery/1/model.onnx"
path.parent.mkdir(parents=True, exist_ok=True)
path.write_bytes(model.SerializeToString(deterministic=True))
print(weights, base)
