"""Trains the iris model: a random forest over four measurements of a flower."""

import random
import sys
from pathlib import Path

import numpy as np
import onnx
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedShuffleSplit, cross_val_score, train_test_split

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from package import IR_VERSION, OPSETS, arguments, open_session, run, write_package

VERSION = "1"
SEED = 0
HELD_OUT = 50
MIDPOINTS = 200
FEATURES = {"sepal_length": 20, "sepal_width": 20, "petal_length": 20, "petal_width": 20}


def main():
    args = arguments(__file__)
    iris = load_iris()
    labels = [str(name) for name in iris.target_names]
    # The server packs float32: train on the same values.
    train, test, train_labels, test_labels = train_test_split(
        iris.data, iris.target, test_size=HELD_OUT, stratify=iris.target, random_state=SEED
    )
    forest = RandomForestClassifier(n_estimators=100, random_state=SEED)
    forest.fit(train.astype(np.float32), train_labels)
    model = export(forest)

    heldout = [
        {"input": as_input(flower), "label": labels[label]}
        for flower, label in zip(test, test_labels)
    ] + [{"input": as_input(flower)} for flower in midpoints(test)]
    everything = to_tensor([line["input"] for line in heldout])
    difference = np.abs(run(open_session(model), everything) - forest.predict_proba(everything))
    assert difference.max() < 1e-5, f"the export differs by {difference.max()}"

    # 50 flowers say little: one flower is 2 %. The same recipe over many splits says more.
    splits = StratifiedShuffleSplit(n_splits=50, test_size=HELD_OUT, random_state=SEED)
    accuracies = cross_val_score(
        RandomForestClassifier(n_estimators=100, random_state=SEED),
        iris.data.astype(np.float32),
        iris.target,
        cv=splits,
    )
    print(f"over 50 random splits: accuracy {accuracies.mean():.3f} ± {accuracies.std():.3f}")

    firsts = [next(x for x in heldout if x["label"] == label) for label in labels]
    between = heldout[HELD_OUT : HELD_OUT + 1]
    write_package(
        args.out,
        model,
        to_tensor,
        heldout,
        examples=[line["input"] for line in firsts + between],
        dataset="scikit-learn iris, held-out third (50 of 150 flowers, stratified)",
        name="iris",
        version=VERSION,
        task="tabular-classification",
        description="Tells three species of iris apart by the length and width of sepals and "
        "petals. A random forest of 100 trees.",
        features=[
            {"name": name, "type": "number", "minimum": 0, "maximum": maximum, "unit": "cm"}
            for name, maximum in FEATURES.items()
        ],
        labels=labels,
    )


def export(forest):
    model = to_onnx(
        forest,
        np.zeros((1, len(FEATURES)), np.float32),
        name="iris",
        options={"zipmap": False},
        target_opset={domain: OPSETS[domain] for domain in ("", "ai.onnx.ml")},
    )
    model.ir_version = IR_VERSION
    del model.opset_import[:]
    model.opset_import.append(onnx.helper.make_opsetid("ai.onnx.ml", OPSETS["ai.onnx.ml"]))
    rename(model, model.graph.input[0].name, "features")
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "N"
    # The server takes the arg max itself: the label output goes.
    kept = next(o for o in model.graph.output if o.name == "probabilities")
    kept.type.tensor_type.shape.dim[0].dim_param = "N"
    kept.type.tensor_type.shape.dim[1].dim_value = forest.n_classes_
    del model.graph.output[:]
    model.graph.output.append(kept)
    return model


def rename(model, old, new):
    model.graph.input[0].name = new
    for node in model.graph.node:
        node.input[:] = [new if name == old else name for name in node.input]


def midpoints(flowers):
    """Unlabelled flowers halfway between two held-out ones: more inputs to compare runtimes on."""
    pairs = [(a, b) for a in range(len(flowers)) for b in range(a)]
    chosen = random.Random(SEED).sample(pairs, MIDPOINTS)
    return [((flowers[a] + flowers[b]) / 2).round(2) for a, b in chosen]


def as_input(flower):
    return {name: float(value) for name, value in zip(FEATURES, flower)}


def to_tensor(inputs):
    return np.array([[row[name] for name in FEATURES] for row in inputs], np.float32)


if __name__ == "__main__":
    main()
