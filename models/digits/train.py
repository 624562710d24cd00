"""Trains the digits model: a small neural network over 8x8 images of handwritten digits."""

import base64
import io
import sys
import warnings
from itertools import product
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from scipy.ndimage import shift
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from package import arguments, make_model, open_session, run, write_package

VERSION = "1"
SEED = 0
HELD_OUT = 360
LABELS = [str(digit) for digit in range(10)]
SCALE = 1 / 255
LAYERS = [(128, 64), (256, 128)]
SHIFTS = [0, 0.5, 1]


def main():
    args = arguments(__file__)
    digits = load_digits()
    pngs = [to_png(image) for image in digits.images]
    train, test, train_targets, test_targets = train_test_split(
        pngs, digits.target, test_size=HELD_OUT, stratify=digits.target, random_state=SEED
    )

    # Train on what the server computes from the PNG.
    train = to_tensor(train)
    layers, by = choose(train, train_targets)
    network = fit(train, train_targets, layers, by)
    model = export(network)

    expected = network.predict_proba(to_tensor(test).reshape(HELD_OUT, -1))
    difference = np.abs(run(open_session(model), to_tensor(test)) - expected).max()
    assert difference < 1e-5, f"the export differs by {difference}"

    heldout = [
        {"input": png, "label": LABELS[target]} for png, target in zip(test, test_targets)
    ]
    write_package(
        args.out,
        model,
        to_tensor,
        heldout,
        examples=[
            next(line["input"] for line in heldout if line["label"] == label)
            for label in ["0", "1", "3", "5", "7", "8"]
        ],
        dataset="scikit-learn digits, held-out fifth (360 of 1,797 images, stratified)",
        name="digits",
        version=VERSION,
        task="image-classification",
        description="Reads one handwritten digit from an 8x8 grey image, bright ink on a black "
        "ground. A neural network with two hidden layers.",
        labels=LABELS,
        image={
            "width": 8,
            "height": 8,
            "color": "grayscale",
            "layout": "NCHW",
            "resample": "bilinear",
            "orientation": "exif",
            "scale": SCALE,
            "mean": [0],
            "std": [1],
        },
    )


def to_png(image):
    """Base64 of a PNG: ink of 0 to 16 becomes 0 to 255."""
    file = io.BytesIO()
    Image.fromarray(np.round(image * 255 / 16).astype(np.uint8)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def to_tensor(inputs):
    images = [np.asarray(Image.open(io.BytesIO(base64.b64decode(png)))) for png in inputs]
    return (np.stack(images)[:, None] * SCALE).astype(np.float32)


def choose(images, targets):
    """The layers and the shift that do best in cross-validation on the training part."""
    folds = list(StratifiedKFold(4, shuffle=True, random_state=SEED).split(images, targets))

    def accuracy(layers, by):
        scores = []
        for learn, check in folds:
            network = fit(images[learn], targets[learn], layers, by)
            scores.append(network.score(images[check].reshape(len(check), -1), targets[check]))
        return np.mean(scores)

    scores = {candidate: accuracy(*candidate) for candidate in product(LAYERS, SHIFTS)}
    best = max(scores, key=scores.get)
    print(f"chosen layers {best[0]}, shift {best[1]}: cross-validated accuracy {scores[best]:.4f}")
    return best


def fit(images, targets, layers, by):
    """Learns from each image and, with a shift, from the eight around it (in pixels)."""
    steps = [-by, 0, by] if by else [0]
    moved = [shift(images, (0, 0, y, x), order=1) for y, x in product(steps, steps)]
    # Nine times the images need fewer passes.
    network = MLPClassifier(layers, alpha=0.01, max_iter=30 if by else 100, random_state=SEED)
    # One thread: sums in a fixed order, so the same weights each time.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return network.fit(
            np.concatenate(moved).reshape(len(moved) * len(images), -1),
            np.tile(targets, len(moved)),
        )


def export(network):
    nodes = [helper.make_node("Flatten", ["pixels"], ["layer0"], axis=1)]
    constants = []
    last = len(network.coefs_)
    for i, (weights, bias) in enumerate(zip(network.coefs_, network.intercepts_), start=1):
        constants.append(numpy_helper.from_array(weights.astype(np.float32), f"weights{i}"))
        constants.append(numpy_helper.from_array(bias.astype(np.float32), f"bias{i}"))
        inputs = [f"layer{i - 1}", f"weights{i}", f"bias{i}"]
        nodes.append(helper.make_node("Gemm", inputs, [f"sums{i}"]))
        if i < last:
            nodes.append(helper.make_node("Relu", [f"sums{i}"], [f"layer{i}"]))
    nodes.append(helper.make_node("Softmax", [f"sums{last}"], ["probabilities"], axis=1))
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", 1, 8, 8])
    output = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", len(LABELS)])
    return make_model(nodes, "digits", [pixels], [output], constants)


if __name__ == "__main__":
    main()
