"""Example inputs of a network of TensorFlow, whose shapes and types it says itself."""

import math
from typing import NamedTuple

import numpy as np

import given_inputs
from refusal import Refusal
from tensors import BATCHES, MOST_ELEMENTS, ROWS, check_size, random_inputs

# Of texts where the model takes any.
LENGTHS = [12, 5, 20]


class Input(NamedTuple):
    name: str
    # None for a size that is free.
    shape: tuple
    dtype: str
    # Numbers below this one are rows of a table of vectors.
    ids: int | None = None
    # Other numbers are around this mean, with this spread.
    around: tuple | None = None


def inputs_of(inputs, given):
    """Batches of arrays by name. `given` is the job's: a file, shapes without the batch, {"sides": [height, width]} of pictures, or None."""
    given = given or {}
    for one in inputs:
        if one.dtype == "string":
            raise Refusal(f"The model takes {one.name} as text, which ONNX cannot split or look up. Convert the part of it that takes numbers.")
    sizes = BATCHES if all(one.shape[:1] in ((), (None,)) for one in inputs) else [None]
    if "file" in given:
        example = of_file(inputs, given)
        return [example, *random_inputs(example, sizes)]
    for one in inputs:
        if one.ids is None and not one.dtype.startswith("float"):
            raise Refusal(f"The model takes {one.name} as {one.dtype}, {in_words(one.shape)}, and does not say which numbers. Give some with --inputs, a .npz or .json file.")
    shapes = given.get("shapes") or []
    if len(shapes) > len(inputs):
        raise Refusal(f"--inputs has {len(shapes)} shapes, and the model takes {', '.join(one.name for one in inputs)}.")
    shapes = dict(zip((one.name for one in inputs), shapes))
    random = np.random.default_rng(1)
    batches = []
    elements = rows = 0
    while rows < ROWS and elements < MOST_ELEMENTS:
        at = len(batches)
        size = sizes[at % len(sizes)]
        full = [filled(one, size, shapes.get(one.name), given.get("sides"), LENGTHS[at % len(LENGTHS)]) for one in inputs]
        batches.append({one.name: made(one, shape, at, random) for one, shape in zip(inputs, full)})
        elements += sum(one.size for one in batches[-1].values())
        rows += size or 1
    return batches


def of_file(inputs, given):
    found = given_inputs.given(given, [one.name for one in inputs])
    missing = [one.name for one in inputs if one.name not in found]
    if missing:
        raise Refusal(f"--inputs has no {', '.join(missing)}, which the model takes.")
    return {one.name: as_taken(one, found[one.name]) for one in inputs}


def as_taken(one, array):
    """In the datatype of the model: a file of JSON has only whole numbers and others."""
    if not fits(one.shape, array.shape):
        raise Refusal(f"--inputs has {one.name} in the shape {list(array.shape)}, and the model takes {in_words(one.shape)}.")
    cast = array.astype(one.dtype) if array.dtype.kind in "biuf" else None
    if cast is None or (cast.dtype.kind != "f" and not np.array_equal(cast, array)):
        raise Refusal(f"--inputs has {one.name} as {array.dtype}, and the model takes {one.dtype}.")
    return cast


def filled(one, rows, shape, sides, length):
    """The shape of one input with sizes for those that are free."""
    sizes = [*(rows or size or 1 for size in one.shape[:1]), *one.shape[1:]]
    free = [at for at, size in enumerate(sizes) if size is None]
    if shape is not None:
        sizes[1:] = shape
        if not fits(one.shape, sizes):
            raise Refusal(f"--inputs has the shape {'x'.join(map(str, shape))} for {one.name}, and the model takes {in_words(one.shape)}.")
    elif sides and len(sizes) == 4 and free == [1, 2]:
        sizes[1:3] = sides
    elif one.ids is not None:
        sizes = [length if size is None else size for size in sizes]
    elif free:
        raise Refusal(f"The model takes {one.name} as {in_words(one.shape)}. Say one size: --inputs with a .npz or .json file, or with the shape without the batch.")
    return tuple(sizes)


def made(one, shape, at, random):
    check_size(8 * math.prod(shape))
    if one.ids is not None:
        return ids(one.ids, shape, random).astype(one.dtype)
    if at % 2 and len(shape) == 4 and shape[-1] in (1, 3):
        # A picture's values as they are in its file: some models scale them themselves.
        return random.integers(0, 256, shape).astype(one.dtype)
    mean, spread = one.around or (0, 1)
    return np.asarray(mean + spread * random.standard_normal(shape)).astype(one.dtype)


def ids(most, shape, random):
    """Every other row ends with zeros, as padding does."""
    found = random.integers(0, most, shape)
    if len(shape) == 2:
        for row in found[1::2]:
            row[random.integers(1, len(row) + 1) :] = 0
    return found


def fits(expected, shape):
    return len(expected) == len(shape) and all(one in (None, size) for one, size in zip(expected, shape))


def in_words(shape):
    return f"[{', '.join('any' if one is None else str(one) for one in shape)}]"
