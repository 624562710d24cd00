"""Loads what PyTorch saved. A program and a module run code, so both are loaded only with --trust."""

import functools
import importlib
import sys
from pathlib import Path

import torch

from refusal import NeedsPackage, Refusal, in_short


def load_program(path):
    try:
        return torch.export.load(path)
    except Exception as error:
        raise Refusal(f"torch {torch.__version__} cannot load it: {in_short(error)}") from error


def load_module(path, place):
    """`place` is package.module:name, below the folder of `path`, or below `path` itself where it is a folder."""
    path = Path(path)
    folder = path if path.is_dir() else path.parent
    module, _, name = place.partition(":")
    sys.path.insert(0, str(folder))
    found = import_from(folder, module)
    try:
        target = functools.reduce(getattr, name.split("."), found)
    except AttributeError as error:
        raise Refusal(f"{module} has no {name}.") from error
    try:
        model = target if isinstance(target, torch.nn.Module) else target()
    except Exception as error:
        raise Refusal(
            f"{place} cannot be made: {in_short(error)}. It is a module, or a class or function that makes one without arguments."
        ) from error
    if not isinstance(model, torch.nn.Module):
        raise Refusal(f"{place} makes {type(model).__name__}, which is no torch.nn.Module.")
    if path.is_file():
        put_weights(model, path)
    elif isinstance(target, type) and any(True for _ in model.parameters()):
        raise Refusal(
            f"{place} is a class, so its weights would be random ones. Name the file of its weights as the path, beside its code; or name a function, or an instance, that has them."
        )
    return model.to("cpu")


def import_from(folder, module):
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing == module or module.startswith(f"{missing}."):
            raise Refusal(f"There is no module {module} in {folder}.") from error
        package = missing.split(".")[0]
        # No registry has a part of the user's own code: a package of its name there is somebody else's.
        if package == module.split(".")[0] or (folder / package).exists() or (folder / f"{package}.py").exists():
            raise Refusal(f"There is no module {missing} in {folder}, which {module} imports.") from error
        raise NeedsPackage(package) from error
    except Exception as error:
        raise Refusal(f"{module} cannot be imported: {in_short(error)}") from error


def put_weights(model, path):
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            weights = load_file(path)
        else:
            weights = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise Refusal(f"{path.name} does not hold weights alone. Save them with torch.save(model.state_dict(), …). {in_short(error)[:200]}") from error
    # A checkpoint of Lightning, and of many tutorials.
    weights = weights.get("state_dict", weights.get("model_state_dict", weights)) if isinstance(weights, dict) else weights
    try:
        model.load_state_dict(weights)
    except Exception as error:
        raise Refusal(f"The weights of {path.name} are not the module's: {in_short(error)}") from error
