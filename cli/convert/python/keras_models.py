"""Exports a model of Keras 3: its layers and weights, without code of the file unless it is trusted."""

import json
import zipfile
from pathlib import Path

import numpy as np

from tensorflow_models import plain, report  # Before Keras: it says which backend.

import keras

from refusal import Refusal, in_short
from tensorflow_inputs import Input

# Layers that run code, or files, which the model's file names.
RUN_CODE = {"Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}


def convert(job):
    path = Path(job["path"])
    model = load(path, job["trust"])
    names = output_names(model)
    # Models of several inputs take a list or a dictionary of them. Sequential has one.
    taken_as = getattr(model, "_inputs_struct", model.inputs[0])

    def original(*tensors):
        found = model(keras.tree.pack_sequence_as(taken_as, list(tensors)), training=False)
        return dict(zip(names, keras.tree.flatten(found)))

    inputs = [taken(model, one) for one in model.inputs]
    return report(job, original, inputs, f"a {type(model).__name__} model of Keras, {model.count_params():,} parameters")


def load(path, trust):
    classes = classes_in(path)
    own = sorted({f"{name} of {module}" for name, module in classes if not is_of_keras(module)})
    if own:
        raise Refusal(
            f"The file has classes whose code is not in it: {', '.join(own)}. Export the model where that code is, and convert the folder: model.export(\"folder\")"
        )
    code = sorted({name.strip("_").capitalize() if name == "__lambda__" else name for name, _ in classes if name in RUN_CODE})
    if code and not trust:
        raise Refusal(f"The file has code that runs when it is loaded or asked ({', '.join(code)}). If you trust who made it, say --trust.")
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=not trust)
    except Exception as error:
        # Keras repeats the whole model before it says why.
        _, _, reason = str(error).rpartition("Exception encountered:")
        said = in_short(error) if reason == str(error) else in_short(type(error)(reason))
        raise Refusal(f"Keras {keras.__version__} cannot load it: {said}") from error
    if not getattr(model, "inputs", None):
        raise Refusal("The model was saved before it was built, so that it does not say what it takes. Ask it once, or give it a keras.Input, and save it again.")
    return model


def classes_in(path):
    try:
        with zipfile.ZipFile(path) as file:
            return list(classes_of(json.loads(file.read("config.json"))))
    except Exception as error:
        raise Refusal(f"The file is no model of Keras 3: {in_short(error)}") from error


def classes_of(config):
    """The name and the module of each object that is made from the file."""
    if isinstance(config, dict):
        if isinstance(config.get("class_name"), str):
            yield config["class_name"], config.get("module")
        config = list(config.values())
    if isinstance(config, list):
        for one in config:
            yield from classes_of(one)


def is_of_keras(module):
    return module is None or module == "builtins" or str(module).split(".")[0] == "keras"


def output_names(model):
    """The keys of a dictionary, `output` of one alone, the names of the layers that answer, or numbers where those are no names."""
    answer = getattr(model, "_outputs_struct", None)
    if len(model.outputs) == 1 and not isinstance(answer, dict):
        return ["output"]
    names = [plain(name) for name in (sorted(answer) if isinstance(answer, dict) else model.output_names)]
    return names if len(set(names)) == len(model.outputs) else [f"output_{at + 1}" for at in range(len(model.outputs))]


def taken(model, tensor):
    return Input(plain(tensor.name), tuple(tensor.shape), tensor.dtype, ids_below(model, tensor), scale_below(model, tensor))


def ids_below(model, tensor):
    """How many rows the tables have whose rows an input names. None where it names none."""
    return min((layer.input_dim for layer in layers_below(model, tensor, keras.layers.Embedding)), default=None)


def scale_below(model, tensor):
    """The mean and the spread that an input is normalised by. None where it is not."""
    for layer in layers_below(model, tensor, keras.layers.Normalization):
        if not layer.invert:
            mean, variance = map(keras.ops.convert_to_numpy, (layer.mean, layer.variance))
            return mean, np.sqrt(variance)
    return None


def layers_below(model, tensor, kind):
    for layer in model._flatten_layers():
        if isinstance(layer, kind) and any(one is tensor for node in layer._inbound_nodes for one in node.input_tensors):
            yield layer
