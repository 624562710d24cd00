"""What the scripts share that train networks of PyTorch."""

import random
import time
from contextlib import contextmanager

import numpy as np
import torch
from onnx import helper, numpy_helper


def start_alike(seed):
    """The same network in each run on the same kind of processor: fixed seeds, sums in a fixed order."""
    random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


def descend(network, losses, steps, rate):
    """A step of Adam for each loss that `losses(step)` makes. The rate falls to nothing along half a cosine."""
    optimiser = torch.optim.Adam(network.parameters(), rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    network.train()
    mean = 0
    for step in range(steps):
        loss = losses(step)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1)
        optimiser.step()
        schedule.step()
        mean += (loss.item() - mean) / min(step + 1, 50)
        if (step + 1) % (steps // 10) == 0:
            print(f"step {step + 1}: loss {mean:.4f}", flush=True)
    network.eval()


@contextmanager
def timed(what):
    """Says what processor time it took: it is compared with others of the same run, and stays out of the package."""
    before = time.process_time()
    yield
    print(f"{what}: {time.process_time() - before:.2f} s")


class Neighbours(torch.nn.Module):
    """Adds to the vectors of tokens [N, T, size] what stands beside them. Padding adds nothing."""

    def __init__(self, size, width, dilations):
        super().__init__()
        self.layers = torch.nn.ModuleList(
            torch.nn.Conv1d(size, size, width, padding=dilation * (width // 2), dilation=dilation)
            for dilation in dilations
        )

    def forward(self, vectors, column):
        """`column` [N, T, 1] is 1 for a token and 0 for padding."""
        rows, row = vectors.transpose(1, 2), column.transpose(1, 2)
        for layer in self.layers:
            rows = rows + torch.relu(layer(rows)) * row
        return rows.transpose(1, 2)

    def nodes(self, vectors, column, output):
        """The same as ONNX nodes, with their weights. Names in the graph begin with that of the output."""
        turn = {"perm": [0, 2, 1]}
        row, rows = f"{output}_row", f"{output}_rows"
        nodes = [
            helper.make_node("Transpose", [vectors], [rows], **turn),
            helper.make_node("Transpose", [column], [row], **turn),
        ]
        weights = []
        for number, layer in enumerate(self.layers):
            kernel, bias, near, positive, kept, after = (
                f"{output}_{part}{number}" for part in ["kernel", "bias", "near", "positive", "kept", "rows"]
            )
            pads = [layer.padding[0]] * 2
            nodes += [
                helper.make_node("Conv", [rows, kernel, bias], [near], pads=pads, dilations=list(layer.dilation)),
                helper.make_node("Relu", [near], [positive]),
                helper.make_node("Mul", [positive, row], [kept]),
                helper.make_node("Add", [rows, kept], [after]),
            ]
            weights += [tensor(kernel, layer.weight), tensor(bias, layer.bias)]
            rows = after
        nodes.append(helper.make_node("Transpose", [rows], [output], **turn))
        return nodes, weights


def tensor(name, weights):
    """An initializer of an ONNX graph."""
    if isinstance(weights, torch.Tensor):
        weights = weights.detach().numpy()
    return numpy_helper.from_array(np.ascontiguousarray(weights), name)


def linear(name, given, output):
    """The ONNX nodes of the linear layer whose weights `linear_weights` names so."""
    return [
        helper.make_node("MatMul", [given, f"{name}_weights"], [f"{name}_product"]),
        helper.make_node("Add", [f"{name}_product", f"{name}_bias"], [output]),
    ]


def linear_weights(name, layer):
    return [tensor(f"{name}_weights", layer.weight.T), tensor(f"{name}_bias", layer.bias)]
