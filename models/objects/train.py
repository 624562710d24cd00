"""Trains the objects model: where handwritten digits are in a photograph, and which.

One stage, as YOLO (Redmon et al., 2016): a convolutional network says for each of 32 x 32 places whether the middle of a
digit lies there, which digit it is and how large ("Objects as Points", Zhou et al., 2019). The photographs are composed by
pictures.py from the digits of scikit-learn; nobody took them.
"""

import base64
import io
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from network import descend, start_alike
from objects.components import Components
from objects.detector import LABELS, PLACES, STRIDE, Detector, expected_of, loss_of
from objects.pictures import SIDE, Composer
from objects.precision import mean_average_precisions, overlap
from package import as_metrics, arguments, open_session, run, shortest, write_files

VERSION = "1"
SEED = 0
# The file goes writer by writer, though it does not name them: its end has other hands than its beginning.
CHECKED = 180
UNSEEN = 360
PICTURES = 5000
CHECKS = 200
HELD_OUT = 200
# One picture in so many is without digits.
EMPTY = 10
PLAIN = 300
STEPS = 2400
BATCH = 24
RATE = 4e-3
# How far from its middle a digit counts as nearly found, in places.
SPREAD = 0.7
IOU = 0.5
THRESHOLD = 0.4
MOST = 50
# Listings show examples of up to 4,096 characters, as which an example has a third more.
SHORT = 3000
DATASET = (
    "200 pictures that pictures.py composed from 360 handwritten digits of scikit-learn; none of these digits is in a picture "
    "that was trained on"
)


def main():
    args = arguments(__file__)
    digits = load_digits()
    ends = np.cumsum([len(digits.images) - CHECKED - UNSEEN, CHECKED])
    pools = zip(np.split(digits.images, ends), np.split(digits.target, ends), [PICTURES, CHECKS, HELD_OUT])
    train, check, test = (
        compose(Composer(images, targets, SEED + number), count)
        for number, (images, targets, count) in enumerate(pools)
    )

    start_alike(SEED)
    network = Detector()
    pixels = torch.tensor(np.stack([pixels_of(jpeg) for jpeg, _ in train]))
    targets = [torch.tensor(np.stack(kind)) for kind in zip(*(targets_of(found) for _, found in train))]
    order = np.random.default_rng(SEED)

    def loss(_):
        batch = torch.tensor(order.integers(PICTURES, size=BATCH))
        return loss_of(network(as_input(pixels[batch])), *(kind[batch] for kind in targets))

    descend(network, loss, STEPS, RATE)
    model = network.export()
    session = open_session(model)
    prove_the_same(session, network, [jpeg for jpeg, _ in test[:20]])

    baseline = Components(train)
    for name, pictures in [("to choose by", check), ("held out", test)]:
        found = [detect(session, jpeg) for jpeg, _ in pictures]
        plain = [baseline.find(jpeg) for jpeg, _ in pictures]
        truths = [truth for _, truth in pictures]
        measured = mean_average_precisions(truths, found) | {
            f"{metric}_of_components": value for metric, value in mean_average_precisions(truths, plain).items()
        }
        print(f"{name}: {measured}")
        for who, answers in [("network", found), ("components", plain)]:
            print(f"{who} finds {found_of(truths, answers)}")
            empty = [answer for truth, answer in zip(truths, answers) if not truth]
            print(f"{who} finds digits in {sum(map(finds_any, empty))} of {len(empty)} pictures without")
    plain = np.random.default_rng(SEED).integers(0, 256, (PLAIN, 3))
    wrong = sum(finds_any(detect_in(session, np.broadcast_to(colour[:, None, None], (3, SIDE, SIDE)))) for colour in plain)
    print(f"network finds digits in {wrong} of {PLAIN} pictures of one colour")
    short = [jpeg for jpeg, found in test if found and len(jpeg) < SHORT]
    write_files(
        args.out,
        model,
        [{"input": base64_of(jpeg), "label": found} for jpeg, found in test],
        [(base64_of(jpeg), detect(session, jpeg, THRESHOLD)) for jpeg in short[:3]],
        as_metrics(measured, DATASET, HELD_OUT),
        name="objects",
        version=VERSION,
        task="object-detection",
        description="Finds handwritten digits in a photograph of a form or a board, also those that touch: which digit, and "
        "its box. A digit should be a ninth to a quarter of the picture's longer side: leave paper around it. Print is "
        "read wrongly. It was trained on pictures that a script composed.",
        labels=LABELS,
        image={
            "width": SIDE,
            "height": SIDE,
            "resize": {"pad": [128, 128, 128]},
            "color": "rgb",
            "layout": "NCHW",
            "resample": "bilinear",
            "orientation": "exif",
            "scale": 1 / 255,
            "mean": [0.5] * 3,
            "std": [0.5] * 3,
        },
        detection={"head": "yolo", "output": "boxes", "threshold": THRESHOLD, "iou": IOU, "maxDetections": MOST},
    )
    (args.out / "form.jpg").write_bytes(short[0])


def compose(composer, count):
    return [composer.compose() if number % EMPTY else composer.compose_empty() for number in range(count)]


def base64_of(jpeg):
    return base64.b64encode(jpeg).decode()


def pixels_of(jpeg):
    return np.asarray(Image.open(io.BytesIO(jpeg))).transpose(2, 0, 1)


def as_input(pixels):
    return (pixels / 255 - 0.5) / 0.5


def targets_of(found):
    """For each place: how nearly it is the middle of a digit, which digit (-1: none), and its centre and size."""
    near = np.zeros((PLACES, PLACES), np.float32)
    labels = np.full((PLACES, PLACES), -1)
    boxes = np.zeros((4, PLACES, PLACES), np.float32)
    nearest = np.full((PLACES, PLACES), np.inf)
    rows, columns = np.mgrid[:PLACES, :PLACES]
    for one in found:
        xmin, ymin, xmax, ymax = (one["box"][side] for side in ("xmin", "ymin", "xmax", "ymax"))
        x, y = (xmin + xmax) / 2, (ymin + ymax) / 2
        column, row = int(x / STRIDE), int(y / STRIDE)
        apart = (rows - row) ** 2 + (columns - column) ** 2
        near = np.maximum(near, np.exp(-apart / (2 * SPREAD**2)).astype(np.float32))
        own = (apart <= 2) & (apart < nearest)
        nearest[own] = apart[own]
        labels[own] = int(one["label"])
        boxes[:, own] = np.array([[x, y, xmax - xmin, ymax - ymin]]).T
    return near, labels, boxes


def prove_the_same(session, network, jpegs):
    """The graph and the network say the same of the same pictures."""
    pixels = as_input(torch.tensor(np.stack([pixels_of(jpeg) for jpeg in jpegs])))
    with torch.no_grad():
        expected = expected_of(network(pixels)).numpy()
    difference = np.abs(run(session, pixels.numpy()) - expected).max()
    assert difference < 1e-3, f"the export differs by {difference}"


def detect(session, jpeg, threshold=0):
    return detect_in(session, pixels_of(jpeg), threshold)


def detect_in(session, pixels, threshold=0):
    """As the task object-detection makes boxes of what the graph answers."""
    numbers = run(session, as_input(pixels[None].astype(np.float32)))[0]
    (x, y, width, height), scores = numbers[:4].astype(np.float64), numbers[4:]
    best = scores.max(axis=0)
    found = []
    for place in np.argsort(-best, kind="stable"):
        if best[place] <= threshold or len(found) == MOST:
            break
        sides = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
        box = dict(zip(["xmin", "ymin", "xmax", "ymax"], (float(side[place]) for side in sides)))
        label = LABELS[scores[:, place].argmax()]
        if not any(one["label"] == label and overlap(one["box"], box) > IOU for one in found):
            found.append({"label": label, "score": shortest(best[place]), "box": box})
    for one in found:
        one["box"] = {side: int(min(max(value, 0), SIDE)) for side, value in one["box"].items()}
    return found


def finds_any(answer):
    return any(one["score"] > THRESHOLD for one in answer)


def found_of(truths, answers):
    """How many of the digits that touch another one are found, and how many of those that stand apart."""
    counts = {"touching": [0, 0], "apart": [0, 0]}
    for truth, answer in zip(truths, answers):
        boxes = [one["box"] for one in truth]
        for one in truth:
            box = one["box"]
            reach = {side: value + (1 if side.endswith("max") else -1) for side, value in box.items()}
            touches = any(overlap(reach, other) > 0 for other in boxes if other is not box)
            is_found = any(
                made["label"] == one["label"] and made["score"] > THRESHOLD and overlap(made["box"], box) >= 0.5
                for made in answer
            )
            count = counts["touching" if touches else "apart"]
            count[0] += is_found
            count[1] += 1
    return {name: f"{found} of {all_of}" for name, (found, all_of) in counts.items()}


if __name__ == "__main__":
    main()
