"""The network of the objects model, and its graph."""

import numpy as np
import torch
from onnx import TensorProto, helper

from network import tensor
from objects.pictures import SIDE
from package import make_model

LABELS = [str(digit) for digit in range(10)]
# Pixels from a place to the next, and those that a size of 1 stands for.
STRIDE = 4
UNIT = 16
PLACES = SIDE // STRIDE
# For each place: whether a digit's middle is there, which digit, how far its centre is away, how large it is.
PARTS = {"presence": 1, "digits": len(LABELS), "offset": 2, "size": 2}

# Of the places, [x and y, 32, 32] in pixels.
MIDDLES = (np.indices((PLACES, PLACES))[::-1].astype(np.float32) + 0.5) * STRIDE
# The task drops fractions of a pixel. With half a pixel more it rounds.
ROUNDING = 0.5


class Detector(torch.nn.Module):
    """Goes down to a sixteenth of the picture's width, for what is around a digit, and comes back to a quarter."""

    def __init__(self):
        super().__init__()
        self.start = Stage(3, 16, 0)
        self.quarter = Stage(16, 32, 1)
        self.eighth = Stage(32, 64, 2)
        self.sixteenth = Stage(64, 64, 1)
        self.back_to_eighth = Block(64, 64)
        self.narrow = Block(64, 32, width=1)
        self.back_to_quarter = Block(32, 48)
        self.places = torch.nn.Conv2d(48, sum(PARTS.values()), 1)
        # Few places have a digit.
        torch.nn.init.constant_(self.places.bias[:1], -4)

    def forward(self, pixels):
        """The numbers of `PARTS`, for each place [N, 1 + 10 + 2 + 2, 32, 32]."""
        quarter = self.quarter(self.start(pixels))
        eighth = self.eighth(quarter)
        eighth = self.back_to_eighth(doubled(self.sixteenth(eighth)) + eighth)
        quarter = self.back_to_quarter(doubled(self.narrow(eighth)) + quarter)
        return self.places(quarter)

    def export(self):
        """The same, and from it the boxes [N, 4 + 10, places] that the task reads."""
        node = helper.make_node
        nodes, weights = [], []

        def add(layer, given, output):
            more, its_weights = layer.nodes(given, output)
            nodes.extend(more)
            weights.extend(its_weights)

        add(self.start, "pixels", "start")
        add(self.quarter, "start", "quarter")
        add(self.eighth, "quarter", "eighth")
        add(self.sixteenth, "eighth", "sixteenth")
        nodes += doubling("sixteenth", "eighth", "eighth_both")
        add(self.back_to_eighth, "eighth_both", "eighth_back")
        add(self.narrow, "eighth_back", "narrow")
        nodes += doubling("narrow", "quarter", "quarter_both")
        add(self.back_to_quarter, "quarter_both", "quarter_back")
        places, places_weights = convolution(
            self.places, self.places.weight, self.places.bias, "quarter_back", "places"
        )
        nodes += [
            places,
            node("Split", ["places", "parts"], list(PARTS), axis=1),
            # Of neighbours the one that is surest.
            node("MaxPool", ["presence"], ["highest"], kernel_shape=[3, 3], pads=[1] * 4),
            node("Equal", ["presence", "highest"], ["is_highest"]),
            node("Cast", ["is_highest"], ["kept"], to=TensorProto.FLOAT),
            node("Sigmoid", ["presence"], ["probability"]),
            node("Mul", ["probability", "kept"], ["found"]),
            node("Softmax", ["digits"], ["shares"], axis=1),
            node("Mul", ["shares", "found"], ["scores"]),
            node("Mul", ["offset", "stride"], ["moved"]),
            node("Add", ["moved", "middles"], ["centres"]),
            node("Exp", ["size"], ["units"]),
            node("Mul", ["units", "unit"], ["sizes"]),
            node("Concat", ["centres", "sizes", "scores"], ["map"], axis=1),
            node("Reshape", ["map", "shape"], ["boxes"]),
        ]
        weights += [
            *places_weights,
            tensor("parts", np.array(list(PARTS.values()), np.int64)),
            tensor("twice", np.array([1, 1, 2, 2], np.float32)),
            tensor("stride", np.array(STRIDE, np.float32)),
            tensor("middles", MIDDLES[None] + np.float32(ROUNDING)),
            tensor("unit", np.array(UNIT, np.float32)),
            tensor("shape", np.array([0, 4 + len(LABELS), PLACES**2], np.int64)),
        ]
        value = helper.make_tensor_value_info
        return make_model(
            nodes,
            "objects",
            [value("pixels", TensorProto.FLOAT, ["N", 3, SIDE, SIDE])],
            [value("boxes", TensorProto.FLOAT, ["N", 4 + len(LABELS), PLACES**2])],
            weights,
        )


class Stage(torch.nn.Module):
    """Halves width and height, and then adds to the vectors what `more` blocks see around them."""

    def __init__(self, given, size, more):
        super().__init__()
        self.first = Block(given, size, step=2)
        self.more = torch.nn.ModuleList(Block(size, size) for _ in range(more))

    def forward(self, vectors):
        vectors = self.first(vectors)
        for block in self.more:
            vectors = vectors + block(vectors)
        return vectors

    def nodes(self, given, output):
        names = [*(f"{output}{number}" for number in range(len(self.more))), output]
        nodes, weights = self.first.nodes(given, names[0])
        for block, before, after in zip(self.more, names, names[1:]):
            more, its_weights = block.nodes(before, f"{after}_seen")
            nodes += [*more, helper.make_node("Add", [before, f"{after}_seen"], [after])]
            weights += its_weights
        return nodes, weights


class Block(torch.nn.Module):
    """A convolution, normalised over the batch, and ReLU. In the graph the convolution's weights have the normalisation."""

    def __init__(self, given, size, width=3, step=1):
        super().__init__()
        self.convolution = torch.nn.Conv2d(given, size, width, step, width // 2, bias=False)
        self.norm = torch.nn.BatchNorm2d(size)

    def forward(self, vectors):
        return torch.relu(self.norm(self.convolution(vectors)))

    def nodes(self, given, output):
        norm, sums = self.norm, f"{output}_sums"
        factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        weight = self.convolution.weight * factor[:, None, None, None]
        node, weights = convolution(self.convolution, weight, norm.bias - norm.running_mean * factor, given, sums)
        return [node, helper.make_node("Relu", [sums], [output])], weights


def convolution(layer, weight, bias, given, output):
    kernel, offset = f"{output}_kernel", f"{output}_bias"
    node = helper.make_node(
        "Conv", [given, kernel, offset], [output], strides=list(layer.stride), pads=list(layer.padding) * 2
    )
    return node, [tensor(kernel, weight), tensor(offset, bias)]


def doubled(vectors):
    return torch.nn.functional.interpolate(vectors, scale_factor=2, mode="nearest")


def doubling(given, added, output):
    how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return [
        helper.make_node("Resize", [given, "", "twice"], [f"{output}_wide"], **how),
        helper.make_node("Add", [f"{output}_wide", added], [output]),
    ]


def boxes_of(made):
    """Centres and sizes in pixels [N, 4, 32, 32]."""
    _, _, offset, size = made.split(list(PARTS.values()), 1)
    return torch.cat([torch.tensor(MIDDLES) + offset * STRIDE, size.exp() * UNIT], 1)


def expected_of(made):
    """What the graph should answer."""
    presence, digits, _, _ = made.split(list(PARTS.values()), 1)
    kept = presence == torch.nn.functional.max_pool2d(presence, 3, 1, 1)
    boxes = boxes_of(made) + torch.tensor([ROUNDING, ROUNDING, 0, 0])[:, None, None]
    return torch.cat([boxes, presence.sigmoid() * kept * digits.softmax(1)], 1).flatten(2)


def loss_of(made, near, labels, boxes):
    """Of the numbers for each place [N, 15, 32, 32]: how nearly each is a digit's middle, which digit, and its box."""
    presence, digits, _, _ = made.split(list(PARTS.values()), 1)
    count = (near == 1).sum().clamp(min=1)
    probability = presence[:, 0].sigmoid().clamp(1e-4, 1 - 1e-4)
    # Places beside a middle count less.
    found = (near == 1) * (1 - probability) ** 2 * probability.log()
    absent = (near < 1) * (1 - near) ** 4 * probability**2 * (1 - probability).log()
    is_part = labels >= 0
    shares = torch.nn.functional.cross_entropy(digits, labels, ignore_index=-1)

    made_boxes = boxes_of(made).transpose(0, 1)[:, is_part]
    true_boxes = boxes.transpose(0, 1)[:, is_part]
    lows = torch.maximum(*(one[:2] - one[2:] / 2 for one in (made_boxes, true_boxes)))
    highs = torch.minimum(*(one[:2] + one[2:] / 2 for one in (made_boxes, true_boxes)))
    shared = (highs - lows).clamp(min=0).prod(0)
    overlap = shared / (made_boxes[2:].prod(0) + true_boxes[2:].prod(0) - shared)
    scale = torch.cat([true_boxes[2:], true_boxes[2:]])
    apart = ((made_boxes - true_boxes) / scale).abs().sum(0)
    return -(found + absent).sum() / count + shares + (1 - overlap + apart).mean()
