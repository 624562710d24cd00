"""Makes a text classifier of BERT-small's shape in INT8, with weights of a fixed seed: make_bert.py FOLDER

Answers of random weights mean nothing. They take as long as those of a trained model.
"""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

ROOT = Path(__file__).parents[2]
VOCABULARY, POSITIONS, LAYERS, HIDDEN, HEADS = 30_522, 512, 4, 512, 8
INPUTS = ["input_ids", "attention_mask", "token_type_ids"]


def fixture():
    """The layers of the tests' small model, in this size."""
    spec = importlib.util.spec_from_file_location("make_bert_fixture", ROOT / "test/fixtures/make-bert.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.HIDDEN, module.HEADS = HIDDEN, HEADS
    return module


def make_tokenizer():
    """Trained on the texts that the bench sends, with as many tokens as BERT has."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    lines = (ROOT / "models/sentiment/heldout.jsonl").read_text("utf-8").splitlines()
    trainer = trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator([json.loads(line)["input"] for line in lines], trainer)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    made = json.loads(tokenizer.to_str())
    vocabulary = made["model"]["vocab"]
    for index in range(len(vocabulary), VOCABULARY):
        vocabulary[f"[unused{index}]"] = index
    return json.dumps(made, ensure_ascii=False)


def make_graph(bert):
    graph = bert.Graph(np.random.default_rng(7))

    def weight(*shape):
        return graph.constant(graph.random.normal(0, 0.05, shape).astype(np.float32))

    def dense(x, size, out):
        return graph.add("Add", [graph.add("MatMul", [x, weight(size, out)]), weight(out)])

    graph.dense = dense
    words = graph.add("Gather", [weight(VOCABULARY, HIDDEN), "input_ids"])
    kinds = graph.add("Gather", [weight(2, HIDDEN), "token_type_ids"])
    length = graph.add("Gather", [graph.add("Shape", ["input_ids"]), graph.integers(1)])
    places = graph.add("Range", [graph.integers(0), length, graph.integers(1)])
    position = graph.add("Gather", [weight(POSITIONS, HIDDEN), places])
    x = graph.norm(graph.add("Add", [graph.add("Add", [words, kinds]), position]))
    mask = graph.add("Cast", ["attention_mask"], to=TensorProto.FLOAT)
    away = graph.add("Mul", [graph.add("Sub", [mask, graph.floats(1)]), graph.floats(1e4)])
    away = graph.add("Unsqueeze", [away, graph.integers([1, 2])])
    for _ in range(LAYERS):
        x = graph.norm(graph.add("Add", [x, bert.attention(graph, x, away)]))
        inner = bert.gelu(graph, dense(x, HIDDEN, 4 * HIDDEN))
        x = graph.norm(graph.add("Add", [x, dense(inner, 4 * HIDDEN, HIDDEN)]))
    first = graph.add("Gather", [x, graph.integers(0)], axis=1)
    graph.nodes.append(helper.make_node("Identity", [dense(first, HIDDEN, 2)], ["logits"]))
    return helper.make_model(
        helper.make_graph(
            graph.nodes,
            "bert",
            [helper.make_tensor_value_info(name, TensorProto.INT64, ["N", "T"]) for name in INPUTS],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 2])],
            graph.weights,
        ),
        ir_version=8,
        opset_imports=[helper.make_opsetid("", 17)],
    )


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(make_tokenizer(), "utf-8")
    whole = folder / "whole.onnx"
    onnx.save(make_graph(fixture()), whole)
    quantize_dynamic(whole, folder / "model.onnx", weight_type=QuantType.QUInt8)
    whole.unlink()


main()
