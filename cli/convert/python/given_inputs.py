"""Example inputs of a network, from a file or from shapes."""

import json
import math
from pathlib import Path

import numpy as np

from refusal import Refusal
from tensors import check_size


def given(inputs, names, rows=1):
    """`inputs` is {"file": path} or {"shapes": [[3, 224, 224]]}, for the arguments with these names in order. Of shapes it makes `rows`."""
    if "shapes" in inputs:
        shapes = inputs["shapes"]
        if len(shapes) > len(names):
            raise Refusal(f"--inputs has {len(shapes)} shapes, and the model takes {', '.join(names)}.")
        check_size(rows * 4 * sum(math.prod(one) for one in shapes))
        random = np.random.default_rng(1)
        return {name: random.standard_normal((rows, *shape)).astype(np.float32) for name, shape in zip(names, shapes)}
    return of_file(Path(inputs["file"]), names)


def of_file(path, names):
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as file:
                found = {name: file[name] for name in file.files}
        else:
            found = {name: of_json(np.array(one)) for name, one in json.loads(path.read_text()).items()}
    except MemoryError:
        raise
    except Exception as error:
        raise Refusal(f"{path.name} cannot be read: it is a .npz file, or JSON with an array for each input. {error}") from error
    unknown = [name for name in found if name not in names]
    if unknown or not found:
        raise Refusal(f"{path.name} has {', '.join(found) or 'no input'}, and the model takes {', '.join(names)}.")
    # In the order of the arguments, which is the graph's.
    return {name: np.ascontiguousarray(found[name]).reshape(found[name].shape) for name in names if name in found}


def of_json(array):
    return array.astype(np.float32) if array.dtype == np.float64 else array
