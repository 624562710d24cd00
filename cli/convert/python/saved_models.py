"""Exports one signature of TensorFlow's SavedModel."""

from tensorflow_models import plain, report

import tensorflow as tf

from refusal import Refusal, in_short
from saved_model_code import check_code
from tensorflow_inputs import Input

# Those that are no answers.
INTERNAL = {"__saved_model_init_op", "__saved_model_train_op"}


def convert(job):
    if not job["trust"]:
        check_code(job["path"])
    try:
        loaded = tf.saved_model.load(job["path"])
    except Exception as error:
        raise Refusal(f"TensorFlow {tf.__version__} cannot load it: {in_short(error)}") from error
    name = chosen(sorted(set(loaded.signatures) - INTERNAL), job["signature"])
    signature = loaded.signatures[name]
    specs = signature.structured_input_signature[1]
    outputs = {key: plain(key) for key in signature.structured_outputs}
    if len(set(outputs.values())) < len(outputs):
        raise Refusal(f"The signature's outputs {', '.join(sorted(outputs))} have names that are the same in ONNX, without their signs. Save it with others.")

    def original(*tensors):
        found = signature(**dict(zip(specs, tensors)))
        return {outputs[key]: one for key, one in found.items()}

    inputs = [taken(key, spec) for key, spec in specs.items()]
    return report(job, original, inputs, f"a SavedModel, signature {name}")


def chosen(names, wanted):
    if wanted is not None:
        if wanted not in names:
            raise Refusal(f"The SavedModel has no signature {wanted}; it has {', '.join(names) or 'none'}.")
        return wanted
    # Keras exports one function by both names.
    own = [name for name in names if name != "serve"] if "serving_default" in names else names
    if len(own) == 1:
        return own[0]
    if not own:
        raise Refusal("The SavedModel has no signature, so that it does not say what it takes. Save it with signatures=…, or with Keras's model.export.")
    raise Refusal(f"The SavedModel has several signatures: {', '.join(own)}. Say which one: --signature {own[0]}")


def taken(key, spec):
    if spec.shape.rank is None:
        raise Refusal(f"The SavedModel does not say how many dimensions {key} has. Save it with an input_signature that says so.")
    return Input(plain(key), tuple(spec.shape.as_list()), spec.dtype.name)
