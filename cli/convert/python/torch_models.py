"""Exports a network of PyTorch to ONNX: an exported program (.pt2), or a module by its import path, with its weights."""

import warnings
from pathlib import Path

import torch
from torch.utils import _pytree as pytree

import given_inputs
import torch_inputs
from refusal import Refusal, in_short
from tensors import BATCHES, answers, random_inputs
from torch_load import load_module, load_program

OPSET = 18


def convert(job):
    torch.set_num_threads(1)
    if job["module"] is None:
        return _of_program(job)
    return _of_module(job)


def _of_program(job):
    """A program has its shapes, so that only its batch can be another one."""
    program = load_program(job["path"])
    names = list(program.graph_signature.user_inputs)
    sizes, rows = batches_of(program, names)
    if job["inputs"] is not None:
        example = given_inputs.given(job["inputs"], names, rows)
    elif program.example_inputs is not None:
        example = torch_inputs.by_name(names, program.example_inputs)
    else:
        raise Refusal("The program was saved without example inputs: give some with --inputs.")
    if len(example) < len(names):
        raise Refusal(f"--inputs has {', '.join(example)}, and the program takes {', '.join(names)}.")
    module = program.module()

    def original(**tensors):
        args, kwargs = pytree.tree_unflatten(list(tensors.values()), program.call_spec.in_spec)
        return module(*args, **kwargs)

    return _report(job, program, original, example, sizes, f"a program of torch.export, {parameters(program.parameters())}")


def batches_of(program, names):
    """Sizes of batches to ask for, `[None]` where there is one only, and a size that the program takes."""
    holders = [node.meta["val"] for node in program.graph.nodes if node.op == "placeholder" and node.name in names]
    if not all(isinstance(one, torch.Tensor) and one.dim() > 0 for one in holders):
        return [None], 1
    found = [one.shape[0].node.expr if isinstance(one.shape[0], torch.SymInt) else one.shape[0] for one in holders]
    if all(isinstance(one, int) for one in found):
        return [None], next(iter(found), 1)
    bounds = program.range_constraints.get(found[0])
    # Inputs with other batches than the first one's, or with a multiple of a size, are asked as the example has them.
    if len(set(found)) > 1 or bounds is None:
        return [None], 1
    lowest = max(1, int(bounds.lower))
    sizes = [size for size in sorted({lowest, *BATCHES}) if lowest <= size <= bounds.upper]
    return sizes, lowest


def _of_module(job):
    model = load_module(job["path"], job["module"]).eval()
    names = torch_inputs.names_of(model.forward)
    if job["inputs"] is None:
        raise Refusal("Say what the module takes: --inputs with a .npz or .json file, or with the shape of one input without its batch, such as 3x224x224.")
    example = given_inputs.given(job["inputs"], names)
    about = f"{type(model).__name__} of {job['module']}, {parameters(model.parameters())}"
    two = torch_inputs.of_two(example)
    if two is not None:
        batch = torch.export.Dim("batch", min=1)
        try:
            program = exported(model, two, {name: {0: batch} for name in two})
            return _report(job, program, model, example, BATCHES, about)
        except Refusal as refusal:
            fixed = str(refusal)
    program = exported(model, example, None)
    return {**_report(job, program, model, example, [None], about), **({"fixed": fixed} if two is not None else {})}


def exported(model, example, shapes):
    tensors = {name: torch.from_numpy(one) for name, one in example.items()}
    try:
        with torch.no_grad():
            return torch.export.export(model, (), tensors, dynamic_shapes=shapes, strict=False)
    except Exception as error:
        raise Refusal(f"torch.export cannot follow it: {in_short(error)}") from error


def _report(job, program, original, example, sizes, about):
    outputs = names_of_outputs(ask_original(original, example))

    def ask(inputs):
        found, _ = pytree.tree_flatten(ask_original(original, inputs))
        return {name: one.numpy() for name, one in zip(outputs, found)}

    inputs = [example, *random_inputs(example, sizes)]
    cases = answers(ask, inputs)
    write_onnx(program, example, outputs, Path(job["out"], "model.onnx"))
    return {"about": about, "cases": cases}


def ask_original(original, inputs):
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return original(**{name: torch.from_numpy(one) for name, one in inputs.items()})
    except Exception as error:
        raise Refusal(f"The original does not take its inputs: {in_short(error)}") from error


def names_of_outputs(answer):
    """The keys of a dictionary, or `output`; the tensors of a tuple are numbered."""
    found, _ = pytree.tree_flatten_with_path(answer)
    for path, one in found:
        if not isinstance(one, torch.Tensor):
            raise Refusal(f"The original answers with {type(one).__name__} in {pytree.keystr(path) or 'its output'}, and ONNX has only tensors.")
    if len(found) == 1 and len(found[0][0]) == 0:
        return ["output"]
    return ["_".join(_part(one) for one in path) for path, _ in found]


def _part(key):
    if isinstance(key, pytree.SequenceKey):
        return f"output_{key.idx + 1}"
    return str(key.key if isinstance(key, pytree.MappingKey) else key.name)


def write_onnx(program, example, outputs, path):
    try:
        made = torch.onnx.export(
            program, input_names=list(example), output_names=outputs, opset_version=OPSET, dynamo=True, verbose=False
        )
        path.parent.mkdir(exist_ok=True)
        made.save(str(path), external_data=False)
    except Exception as error:
        raise Refusal(f"torch.onnx cannot write it: {in_short(error)}") from error


def parameters(all_of_them):
    return f"{sum(one.numel() for one in all_of_them):,} parameters"
