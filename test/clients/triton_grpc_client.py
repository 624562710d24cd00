"""Asks a running server everything that NVIDIA's own gRPC client can: python triton_grpc_client.py HOST:PORT

The store must hold the models of this repository and the fixtures of test/fixtures/identity.
"""

import queue
import sys

import numpy as np
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from triton_client import ARRAYS, FLOWER

LONG_TEXTS = np.full(500, "a quite good film of the old kind " * 50, dtype=np.object_)


def main(url):
    client = triton.InferenceServerClient(url)
    assert client.is_server_live() and client.is_server_ready()
    metadata = client.get_server_metadata()
    assert metadata.name == "nearcast" and "model_repository" in metadata.extensions
    assert client.is_model_ready("iris") and client.is_model_ready("iris", "1")
    assert list(client.get_model_metadata("iris").inputs[0].shape) == [-1, 4]
    assert list(client.get_model_metadata("iris", "1").versions) == ["1"]
    print("live, ready, metadata")

    outputs = [triton.InferRequestedOutput("probabilities")]
    for wanted in (None, outputs):
        for compressed in (None, "gzip", "deflate"):
            answer = client.infer(
                "iris", [tensor("features", FLOWER)], outputs=wanted, request_id="seven", compression_algorithm=compressed
            )
            assert answer.as_numpy("probabilities").argmax(axis=1).tolist() == [0, 2]
            assert answer.get_response().id == "seven" and answer.get_response().model_version == "1"
    hints = dict(priority=3, timeout=9_000_000, parameters={"tenant": "a"}, headers={"x-trace": "b"}, client_timeout=60)
    assert client.infer("iris", [tensor("features", FLOWER)], **hints).as_numpy("probabilities").shape == (2, 3)
    print("infer, compressed too")

    for name, array in ARRAYS.items():
        given = array.reshape(1, 3, 1)
        answered = client.infer(name, [tensor("x", given)]).as_numpy("y")
        if name == "bytes":
            answered = np.array([item.decode() for item in answered.ravel()], dtype=np.object_)
        assert answered.ravel().tolist() == given.ravel().tolist(), (name, answered)
    print("every datatype, there and back")

    answers = queue.Queue()
    put = lambda result, error: answers.put((result, error))
    for _ in range(20):
        client.async_infer("iris", [tensor("features", FLOWER)], put)
    for _ in range(20):
        result, error = answers.get(timeout=60)
        assert error is None and result.as_numpy("probabilities").shape == (2, 3)
    print("async_infer")

    index = {entry.name: entry.state for entry in client.get_model_repository_index().models}
    assert index["iris"] == "READY"
    client.unload_model("iris")
    client.load_model("iris")
    client.unload_model("iris", unload_dependents=True)
    client.infer("iris", [tensor("features", FLOWER)])
    print("repository index, load, unload")

    for what, (status, call) in {
        "unknown model": ("NOT_FOUND", lambda: client.is_model_ready("nothing")),
        "unknown version": ("NOT_FOUND", lambda: client.infer("iris", [tensor("features", FLOWER)], model_version="9")),
        "unknown output": (
            "INVALID_ARGUMENT",
            lambda: client.infer(
                "iris", [tensor("features", FLOWER)], outputs=[triton.InferRequestedOutput("nothing")]
            ),
        ),
        "unknown input": ("INVALID_ARGUMENT", lambda: client.infer("iris", [tensor("nothing", FLOWER)])),
        "wrong shape": ("INVALID_ARGUMENT", lambda: client.infer("iris", [tensor("features", FLOWER[:, :3])])),
        "a sequence": ("INVALID_ARGUMENT", lambda: client.infer("iris", [tensor("features", FLOWER)], sequence_id=9)),
        "classification": (
            "INVALID_ARGUMENT",
            lambda: client.infer(
                "iris", [tensor("features", FLOWER)], outputs=[triton.InferRequestedOutput("probabilities", class_count=2)]
            ),
        ),
        "load with a config": ("INVALID_ARGUMENT", lambda: client.load_model("iris", config="{}")),
        "a method that there is not": ("UNIMPLEMENTED", lambda: client.get_model_config("iris")),
        "a time that is too short": (
            "DEADLINE_EXCEEDED",
            # gRPC's timers count milliseconds: these texts take far longer on any machine.
            lambda: client.infer("sentiment", [tensor("text", LONG_TEXTS)], client_timeout=1e-6),
        ),
    }.items():
        try:
            call()
        except InferenceServerException as error:
            assert error.message() and error.status() == f"StatusCode.{status}", (what, error.status(), error.message())
        else:
            raise AssertionError(f"{what} was not refused")
    print("errors with gRPC's codes, all answered")


def tensor(name, array):
    made = triton.InferInput(name, array.shape, np_to_triton_dtype(array.dtype))
    made.set_data_from_numpy(array)
    return made


if __name__ == "__main__":
    main(sys.argv[1])
