"""Writes a model package: the artifact, its manifest, its held-out data and its release.

Everything that a manifest says of a model is measured here, on the artifact itself and from
inputs in the form in which the HTTP API takes them.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from sklearn.metrics import accuracy_score, f1_score

# ONNX Runtime 1.30 reads newer ones, but older runtimes and tools do not.
IR_VERSION = 8
OPSETS = {"": 17, "ai.onnx.ml": 3, "com.microsoft": 1}

# Names of the Open Inference Protocol.
DATATYPES = {
    onnx.TensorProto.FLOAT: "FP32",
    onnx.TensorProto.DOUBLE: "FP64",
    onnx.TensorProto.INT32: "INT32",
    onnx.TensorProto.INT64: "INT64",
    onnx.TensorProto.UINT8: "UINT8",
    onnx.TensorProto.BOOL: "BOOL",
    onnx.TensorProto.STRING: "BYTES",
}


def arguments(script, **required):
    """--out, and one required option for each keyword (name=help)."""
    parser = argparse.ArgumentParser()
    for name, text in required.items():
        parser.add_argument(f"--{name}", required=True, help=text)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(script).resolve().parent,
        help="folder of the model (default: the script's own)",
    )
    return parser.parse_args()


def make_model(nodes, name, inputs, outputs, initializers=()):
    """An ONNX model of the nodes, with only the operator sets that they use."""
    domains = sorted({node.domain for node in nodes} | {""})
    return onnx.helper.make_model(
        onnx.helper.make_graph(nodes, name, inputs, outputs, list(initializers)),
        producer_name="nearcast",
        ir_version=IR_VERSION,
        opset_imports=[onnx.helper.make_opsetid(d, OPSETS[d]) for d in domains],
    )


def open_session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(deterministic=True), options, ["CPUExecutionProvider"]
    )


def run(session, tensor):
    """The only output of a model with one input."""
    return session.run(None, {session.get_inputs()[0].name: tensor})[0]


def write_package(out, model, to_tensor, heldout, examples, dataset, release=True, **manifest):
    """Writes every file of a classifier's package and returns its manifest.

    to_tensor  list of API inputs -> the one packed input tensor of the model
    heldout    list of {"input": ..., "label": ...}; lines without a label are allowed
    examples   list of API inputs
    dataset    what the labelled held-out lines are
    release    whether the version is the one that answers, and its held-out lines the model's
    manifest   the remaining fields of model.json
    """
    session = open_session(model)
    labels = manifest["labels"]

    labelled = [line for line in heldout if "label" in line]
    scores = run(session, to_tensor([line["input"] for line in labelled]))
    truth = [line["label"] for line in labelled]
    predicted = [labels[i] for i in scores.argmax(axis=1)]
    measured = {
        "accuracy": accuracy_score(truth, predicted),
        "f1_macro": f1_score(truth, predicted, average="macro"),
    }
    metrics = as_metrics(measured, dataset, len(labelled)) + manifest.pop("metrics", [])
    manifest["scores"] = {"output": model.graph.output[0].name, "activation": "none"}
    answers = [answer(labels, run(session, to_tensor([given]))[0]) for given in examples]
    return write_files(
        out, model, heldout, list(zip(examples, answers)), metrics, release=release, **manifest
    )


def as_metrics(measured, dataset, rows):
    return [
        {"name": name, "value": float(value), "dataset": dataset, "rows": rows}
        for name, value in measured.items()
    ]


def write_files(out, model, heldout, examples, metrics, assets=(), release=True, **manifest):
    """Writes every file of a package and returns its manifest.

    examples   list of (API input, answer)
    assets     further files by name: bytes
    manifest   the fields of model.json that are not read from the model
    """
    onnx.checker.check_model(model)
    artifact = model.SerializeToString(deterministic=True)
    assets = dict(assets)
    document = {
        "schema": 1,
        "name": manifest["name"],
        "version": manifest["version"],
        "task": manifest["task"],
        "description": manifest["description"],
        "license": "Apache-2.0",
        "browser": True,
        "artifact": file_entry("model.onnx", artifact),
        **({"assets": [file_entry(*asset) for asset in assets.items()]} if assets else {}),
        "inputs": [describe(value) for value in model.graph.input],
        "outputs": [describe(value) for value in model.graph.output],
        **manifest,
        "examples": [{"input": given, "output": output} for given, output in examples],
        "metrics": metrics,
    }

    folder = out / manifest["version"]
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {"model.onnx": artifact, **assets}.items():
        (folder / name).write_bytes(content)
    write_text(folder / "model.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    if release:
        write_text(out / "release.json", f'{{ "stable": "{manifest["version"]}" }}\n')
        lines = (json.dumps(line, ensure_ascii=False) + "\n" for line in heldout)
        write_text(out / "heldout.jsonl", "".join(lines))

    for metric in document["metrics"]:
        print(f"{metric['name']} {metric['value']:.4f} on {metric['rows']} rows: {metric['dataset']}")
    print(f"{document['artifact']['bytes']} bytes, sha256 {document['artifact']['sha256']}")
    return document


def file_entry(name, content):
    return {"file": name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def shortest(value):
    """str() of a float32 is its shortest exact form: 0.98, not 0.9800000190734863."""
    return float(str(np.float32(value)))


def describe(value):
    tensor = value.type.tensor_type
    return {
        "name": value.name,
        "datatype": DATATYPES[tensor.elem_type],
        "shape": [d.dim_value if d.HasField("dim_value") else -1 for d in tensor.shape.dim],
    }


def answer(labels, row):
    scores = {label: shortest(score) for label, score in zip(labels, row)}
    best = labels[int(row.argmax())]
    return {"label": best, "score": scores[best], "scores": scores}


def write_text(path, text):
    path.write_text(text, encoding="utf-8", newline="\n")
