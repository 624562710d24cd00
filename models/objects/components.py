"""What a detector is measured against: ink by a threshold, its connected parts, and a network that reads each part."""

import io
import warnings
from itertools import product

import numpy as np
from PIL import Image
from scipy.ndimage import binary_opening, find_objects, gaussian_filter, label
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from objects.precision import overlap

# Pixels of a part, in which it is read, and its least and largest height in the picture.
READ = 12
LOWEST, HIGHEST = 8, 56
# How much darker than what is around it ink is (as a part of the darkest), how far around, the length of printed lines that
# are taken out (0: none), and how wide for its height a part is that is cut into several (0: none is).
CONTRASTS, AROUND, LINES, WIDE = [0.3, 0.4, 0.5, 0.6], [8, 16, 24], [0, 41], [0, 0.85, 1, 1.3]
TRIED = 100
TRAINED_ON = 2000
NOTHING = "nothing"


class Components:
    """Chooses how to find parts by how many digits of training pictures they are, and learns to read them there."""

    def __init__(self, pictures):
        tried = pictures[:TRIED]
        self.how = max(product(CONTRASTS, AROUND, LINES, WIDE), key=lambda how: found_by(how, tried))
        print(f"contrast, around, lines, wide: {self.how}: F1 of boxes {found_by(self.how, tried):.3f}")
        parts, labels = [], []
        for jpeg, truth in pictures[:TRAINED_ON]:
            for box, part in parts_of(jpeg, *self.how):
                own = max(truth, key=lambda one: overlap(one["box"], box), default=None)
                is_digit = own and overlap(own["box"], box) >= 0.5
                parts.append(part)
                labels.append(own["label"] if is_digit else NOTHING)
        self.network = MLPClassifier((256, 128), alpha=0.01, max_iter=30, random_state=0)
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.network.fit(np.array(parts), labels)

    def find(self, jpeg):
        found = []
        for box, part in parts_of(jpeg, *self.how):
            shares = dict(zip(self.network.classes_, self.network.predict_proba([part])[0]))
            del shares[NOTHING]
            best = max(shares, key=shares.get)
            found.append({"label": best, "score": shares[best], "box": box})
        return found


def found_by(how, pictures):
    """F1 of the boxes, whichever digits they are."""
    right = made = wanted = 0
    for jpeg, truth in pictures:
        boxes = [box for box, _ in parts_of(jpeg, *how)]
        right += sum(any(overlap(one["box"], box) >= 0.5 for box in boxes) for one in truth)
        made, wanted = made + len(boxes), wanted + len(truth)
    return 2 * right / (made + wanted)


def parts_of(jpeg, contrast, around, lines, wide):
    """Boxes of connected ink, and the ink in them, resized."""
    grey = np.asarray(Image.open(io.BytesIO(jpeg)).convert("L"), dtype=float)
    darker = gaussian_filter(grey, around) - grey
    if np.median(grey) < 100:
        darker = -darker
    ink = darker > contrast * np.percentile(darker, 99.5)
    if lines:
        ink &= ~binary_opening(ink, np.ones((1, lines)))
    numbered, _ = label(ink, np.ones((3, 3)))
    found = []
    for number, (rows, columns) in enumerate(find_objects(numbered), start=1):
        own = numbered[rows, columns] == number
        if not LOWEST <= own.shape[0] <= HIGHEST:
            continue
        for start, end in cut(own, wide):
            part = own[:, start:end]
            inked = np.flatnonzero(part.any(axis=1))
            high = slice(inked[0], inked[-1] + 1)
            top, left = rows.start, columns.start
            box = {"xmin": left + start, "ymin": top + int(high.start), "xmax": left + end, "ymax": top + int(high.stop)}
            shown = np.where(part[high], darker[rows, columns][high, start:end], 0)
            found.append((box, as_read(shown)))
    return found


def cut(own, wide):
    """Columns where each of several digits begins and ends: between them there is the least ink."""
    height, width = own.shape
    count = max(1, round(width / (wide * height) + 0.3)) if wide and width > wide * height else 1
    edges = [0]
    for number in range(1, count):
        middle, reach = round(width * number / count), max(1, width // (4 * count))
        near = own[:, middle - reach : middle + reach + 1].sum(axis=0)
        edges.append(middle - reach + int(near.argmin()))
    edges.append(width)
    return [(start, end) for start, end in zip(edges, edges[1:]) if end > start and own[:, start:end].any()]


def as_read(darker):
    """In the middle of a square, resized, from 0 to 1."""
    height, width = darker.shape
    side = max(height, width)
    square = np.zeros((side, side), np.float32)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = darker / max(darker.max(), 1)
    resized = Image.fromarray(square).resize((READ, READ), Image.Resampling.BILINEAR)
    return np.asarray(resized).ravel()
