"""The ONNX of a BERT from its folder of Hugging Face, as its exporters write it: minilm.py FOLDER TARGET.

Only for tests: it needs onnx and numpy alone, which the quantiser's environment has.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

DTYPES = {"F32": np.float32, "I64": np.int64}


def main(folder, target):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    graph = Graph(read_safetensors(folder / "model.safetensors"))
    heads, size = config["num_attention_heads"], config["hidden_size"]
    epsilon = config["layer_norm_eps"]

    length = graph.add("Gather", [graph.add("Shape", ["input_ids"]), graph.integers(1)], axis=0)
    positions = graph.add("Range", [graph.integers(0), length, graph.integers(1)])
    looked_up = [
        graph.add("Gather", [f"embeddings.{name}_embeddings.weight", ids], axis=0)
        for name, ids in [("word", "input_ids"), ("token_type", "token_type_ids"), ("position", positions)]
    ]
    sums = graph.add("Add", [graph.add("Add", looked_up[:2]), looked_up[2]])
    hidden = graph.norm(sums, "embeddings.LayerNorm", epsilon)

    mask = graph.add("Cast", ["attention_mask"], to=TensorProto.FLOAT)
    mask = graph.add("Unsqueeze", [mask, graph.integers([1, 2])])
    mask = graph.add("Mul", [graph.add("Sub", [graph.floats(1), mask]), graph.floats(np.finfo(np.float32).min)])

    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}"

        def split(name):
            made = graph.linear(hidden, f"{at}.attention.self.{name}")
            made = graph.add("Reshape", [made, graph.integers([0, 0, heads, size // heads])])
            return graph.add("Transpose", [made], perm=[0, 2, 3, 1] if name == "key" else [0, 2, 1, 3])

        scores = graph.add("MatMul", [split("query"), split("key")])
        scores = graph.add("Div", [scores, graph.floats((size // heads) ** 0.5)])
        shares = graph.add("Softmax", [graph.add("Add", [scores, mask])], axis=-1)
        seen = graph.add("Transpose", [graph.add("MatMul", [shares, split("value")])], perm=[0, 2, 1, 3])
        seen = graph.add("Reshape", [seen, graph.integers([0, 0, size])])
        seen = graph.add("Add", [graph.linear(seen, f"{at}.attention.output.dense"), hidden])
        hidden = graph.norm(seen, f"{at}.attention.output.LayerNorm", epsilon)
        wide = graph.linear(hidden, f"{at}.intermediate.dense")
        error = graph.add("Erf", [graph.add("Div", [wide, graph.floats(2**0.5)])])
        gelu = graph.add("Mul", [wide, graph.add("Add", [error, graph.floats(1)])])
        gelu = graph.add("Mul", [gelu, graph.floats(0.5)])
        narrow = graph.add("Add", [graph.linear(gelu, f"{at}.output.dense"), hidden])
        hidden = graph.norm(narrow, f"{at}.output.LayerNorm", epsilon)

    graph.nodes.append(helper.make_node("Identity", [hidden], ["last_hidden_state"]))
    onnx.save(graph.model(size), target)


class Graph:
    def __init__(self, weights):
        self.weights = weights
        self.nodes = []
        self.tensors = {}

    def add(self, operator, inputs, **attributes):
        for name in inputs:
            if name in self.weights:
                self.tensors[name] = self.weights[name]
        output = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def linear(self, given, name):
        # Exporters store a linear layer's weights as MatMul takes them.
        self.tensors[f"{name}.matmul"] = np.ascontiguousarray(self.weights[f"{name}.weight"].T)
        return self.add("Add", [self.add("MatMul", [given, f"{name}.matmul"]), f"{name}.bias"])

    def norm(self, given, name, epsilon):
        inputs = [given, f"{name}.weight", f"{name}.bias"]
        return self.add("LayerNormalization", inputs, axis=-1, epsilon=epsilon)

    def integers(self, values):
        return self.constant(np.array(values, np.int64))

    def floats(self, values):
        return self.constant(np.array(values, np.float32))

    def constant(self, values):
        name = f"constant_{len(self.tensors)}"
        self.tensors[name] = values
        return name

    def model(self, size):
        axes = ["batch", "length"]
        inputs = ["input_ids", "attention_mask", "token_type_ids"]
        graph = helper.make_graph(
            self.nodes,
            "bert",
            [helper.make_tensor_value_info(name, TensorProto.INT64, axes) for name in inputs],
            [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*axes, size])],
            [numpy_helper.from_array(values, name) for name, values in self.tensors.items()],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def read_safetensors(path):
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values = np.frombuffer(content[start + begin : start + end], DTYPES[entry["dtype"]])
            tensors[name] = values.reshape(entry["shape"])
    return tensors


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
