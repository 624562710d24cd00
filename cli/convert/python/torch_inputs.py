"""Example inputs of a network of PyTorch, from the program that has them, and the names of its arguments."""

import inspect

import numpy as np
import torch
from torch.utils import _pytree as pytree

from refusal import Refusal


def by_name(names, example):
    flat, _ = pytree.tree_flatten(example)
    for name, one in zip(names, flat):
        if not isinstance(one, torch.Tensor):
            raise Refusal(f"The program takes {name} as {type(one).__name__}, and ONNX has only tensors.")
    return {name: one.detach().cpu().numpy() for name, one in zip(names, flat)}


def names_of(forward):
    parameters = inspect.signature(forward).parameters.values()
    return [one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]


def of_two(example):
    """The example with two rows or more: torch.export takes a size of 1 for a constant. None where sizes differ."""
    if any(one.ndim == 0 for one in example.values()) or len({len(one) for one in example.values()}) != 1:
        return None
    return {name: np.concatenate([one, one]) if len(one) == 1 else one for name, one in example.items()}
