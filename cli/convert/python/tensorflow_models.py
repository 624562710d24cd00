"""Exports a network of TensorFlow to ONNX, and asks it for its answers."""

import os
import re
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
# Its own kernels for the processor sum in another order.
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
for pool in ("INTRA", "INTER"):
    os.environ[f"TF_NUM_{pool}OP_THREADS"] = "1"

import logging

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from onnx import numpy_helper
from tf2onnx.handler import tf_op

import tensorflow_inputs
from refusal import Refusal, in_short
from tensors import answers

OPSET = 18
# Of their size.
STILL = 1e-4


@tf_op("Erfc")
class Erfc:
    """What gelu is made of. tf2onnx knows its complement only."""

    @classmethod
    def version_9(cls, ctx, node, **_):
        (source,), (target,) = node.input, node.output
        dtype, shape = ctx.get_dtype(target), ctx.get_shape(target)
        ctx.remove_node(node.name)
        error = ctx.make_node("Erf", [source], dtypes=[dtype], shapes=[shape])
        one = ctx.make_const(f"{node.name}_one", np.array(1, tf2onnx.utils.map_onnx_to_numpy_type(dtype)))
        ctx.make_node("Sub", [one.output[0], error.output[0]], outputs=[target], name=node.name, dtypes=[dtype], shapes=[shape])


def report(job, original, inputs, about):
    """
    What is said of a network. `inputs` are what it takes, in the order of `original`'s arguments, which answers with
    tensors by name.
    """
    names = [one.name for one in inputs]
    if len(set(names)) < len(names):
        raise Refusal(f"The model's inputs are {', '.join(names)} in ONNX, and two have the same name. Save it with others.")
    batches = tensorflow_inputs.inputs_of(inputs, job["inputs"])
    spans = {}

    def ask(tensors):
        try:
            found = original(*map(tf.constant, tensors.values()))
        except Exception as error:
            raise Refusal(f"The original does not take its inputs: {in_short(error)}. Give others with --inputs.") from error
        found = {name: one.numpy() for name, one in found.items()}
        for name, one in found.items():
            spans[name] = widened(spans.get(name), one)
        return found

    cases = answers(ask, batches)
    write_onnx(original, inputs, Path(job["out"], "model.onnx"))
    return {"about": about, "cases": cases, "still": [name for name, span in spans.items() if hardly_varies(span)]}


def widened(span, array):
    """The least and the largest number of each column of an answer, or of all where answers have other lengths."""
    if array.size == 0:
        return span
    rows = array.reshape(-1, array.shape[-1] if array.ndim > 1 else 1).astype(float)
    low, high = rows.min(0), rows.max(0)
    if span is None:
        return low, high
    if span[0].shape != low.shape:
        span, low, high = (span[0].min(), span[1].max()), low.min(), high.max()
    return np.minimum(span[0], low), np.maximum(span[1], high)


def hardly_varies(span):
    """Whether the answers differ by no more than a comparison allows."""
    return span is not None and bool((span[1] - span[0]).max() <= STILL * np.abs(span).max())


def plain(name):
    """A name as TensorFlow allows one in a graph."""
    return re.sub(r"^[^A-Za-z0-9.]|[^A-Za-z0-9_.]", "_", name)


def write_onnx(original, inputs, path):
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)
    specs = [tf.TensorSpec(one.shape, one.dtype, name=one.name) for one in inputs]
    try:
        function = tf.function(original)
        made, _ = tf2onnx.convert.from_function(function, specs, opset=OPSET)
        keep_constants(made.graph, function.get_concrete_function(*specs))
    except Exception as error:
        raise Refusal(f"tf2onnx cannot write it: {in_short(error)}") from error
    unknown = sorted(unknown_operators(made.graph))
    if unknown:
        raise Refusal(f"tf2onnx cannot write it: it has nothing for TensorFlow's operators {', '.join(unknown)}.")
    onnx.save(made, path)


def keep_constants(graph, concrete):
    """Numbers that the function holds, and that are no variables, have become inputs of the graph."""
    held = {inside.name: outside for outside, inside in concrete.graph.captures if outside.dtype != tf.resource}
    for one in list(graph.input):
        if one.name in held:
            graph.input.remove(one)
            graph.initializer.append(numpy_helper.from_array(held[one.name].numpy(), one.name))


def unknown_operators(graph):
    for node in graph.node:
        if not onnx.defs.has(node.op_type, node.domain):
            yield node.op_type
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                yield from unknown_operators(inner)
