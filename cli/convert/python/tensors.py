"""Inputs for a network, what it answers, and both in the form of the report."""

import base64

import numpy as np

from refusal import Refusal

DATATYPES = {
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "uint8": "UINT8",
    "bool": "BOOL",
}
BATCHES = [1, 2, 3, 5]
ROWS = 100
MOST_ELEMENTS = 2_000_000
# All that is compared, so that its report can be read.
MOST_BYTES = 100_000_000


def described(tensors):
    """Tensors by name as JSON has them: datatype, shape, and the little-endian elements in base64."""
    return {name: _described(name, one) for name, one in tensors.items()}


def _described(name, array):
    datatype = DATATYPES.get(str(array.dtype))
    if datatype is None:
        raise Refusal(f"{name} is {array.dtype}, which no datatype of requests is for.")
    # NumPy would make a number without dimensions one-dimensional on the way.
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"datatype": datatype, "shape": list(array.shape), "data": data}


def random_inputs(example, sizes):
    """Inputs like the example: floats of its mean and spread, whole numbers drawn from its own. `sizes` are batches."""
    random = np.random.default_rng(0)
    elements = sum(one.size for one in example.values()) or 1
    made = []
    rows = 0
    while rows < ROWS and len(made) * elements < MOST_ELEMENTS:
        size = sizes[len(made) % len(sizes)]
        made.append({name: _like(one, size, random) for name, one in example.items()})
        rows += size or 1
    return made


def _like(array, size, random):
    shape = array.shape if size is None or array.ndim == 0 else (size, *array.shape[1:])
    if array.dtype.kind == "f" and array.size > 0 and not are_ids(array):
        spread = float(array.std()) or 1.0
        return np.asarray(random.normal(float(array.mean()), spread, shape)).astype(array.dtype)
    return np.asarray(random.choice(array.ravel(), shape)).astype(array.dtype) if array.size > 0 else np.zeros(shape, array.dtype)


def are_ids(floats):
    """Whether they are whole numbers of several kinds, as where a model of Keras takes ids."""
    kinds = np.unique(floats)
    return len(kinds) > 2 and bool(np.equal(kinds, np.round(kinds)).all())


def answers(ask, inputs):
    """
    What the network answers for each of the inputs, as far as they are not too large together. Raises Refusal for one that
    does not repeat itself, and for a first input that is too large by itself.
    """
    cases = []
    total = 0
    for one in inputs:
        found = ask(one)
        size = sum(array.nbytes for array in [*one.values(), *found.values()])
        if not cases:
            check(found, ask(one))
            check_size(size)
        elif total + size > MOST_BYTES:
            continue
        total += size
        for name, array in found.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise Refusal(f"The original's {name} has numbers that are not finite, so that there is nothing to compare with.")
        cases.append({"inputs": described(one), "outputs": described(found)})
    return cases


def check_size(size):
    if size > MOST_BYTES:
        raise Refusal(f"An input with its answer has {size / 1e6:,.0f} MB, and at most {MOST_BYTES / 1e6:,.0f} MB can be compared. Give a smaller one with --inputs.")


def check(first, second):
    for name, array in first.items():
        if not np.array_equal(array, second[name], equal_nan=array.dtype.kind == "f"):
            raise Refusal(
                f"The original answers the same input otherwise each time (its {name} differs): was it exported while it was in training? Call model.eval() before. Of a model of Keras, convert the .keras file."
            )
