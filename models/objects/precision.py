"""Mean average precision of boxes, as COCO and `nearcast eval` have it."""

import numpy as np

OVERLAPS = [0.5 + number * (0.45 / 9) for number in range(10)]
RECALLS = 101


def mean_average_precisions(truths, answers):
    """Of the boxes of each picture: at an overlap of one half, and over ten overlaps from 0.5 to 0.95."""
    labels = sorted({one["label"] for truth in truths for one in truth})
    means = [np.mean([average_precision(label, truths, answers, least) for label in labels]) for least in OVERLAPS]
    return {"map_50": means[0], "map_50_95": np.mean(means)}


def average_precision(label, truths, answers, least):
    scores, hits, wanted = [], [], 0
    for truth, answer in zip(truths, answers):
        left = [one["box"] for one in truth if one["label"] == label]
        wanted += len(left)
        for one in sorted((one for one in answer if one["label"] == label), key=lambda one: -one["score"]):
            shared = [overlap(one["box"], box) for box in left]
            best = max(shared, default=0)
            scores.append(one["score"])
            hits.append(best >= least)
            if best >= least:
                del left[len(left) - 1 - shared[::-1].index(best)]
    order = np.argsort([-score for score in scores], kind="stable")
    right = np.cumsum(np.array(hits, float)[order])
    recalls = right / wanted
    precisions = np.maximum.accumulate((right / np.arange(1, len(right) + 1))[::-1])[::-1]
    places = np.searchsorted(recalls, np.arange(RECALLS) / (RECALLS - 1))
    return np.append(precisions, 0)[places].mean()


def overlap(one, other):
    """What two boxes share of what both cover together."""
    width = min(one["xmax"], other["xmax"]) - max(one["xmin"], other["xmin"])
    height = min(one["ymax"], other["ymax"]) - max(one["ymin"], other["ymin"])
    if width <= 0 or height <= 0:
        return 0
    return width * height / (area(one) + area(other) - width * height)


def area(box):
    return (box["xmax"] - box["xmin"]) * (box["ymax"] - box["ymin"])
