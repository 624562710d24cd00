"""Asks a running server everything that NVIDIA's own client can: python triton_client.py URL

The store must hold the models of this repository and the fixtures of test/fixtures/identity.
"""

import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

FLOWER = np.array([[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]], dtype=np.float32)
ARRAYS = {
    "bool": np.array([True, False, True]),
    "int8": np.array([-128, 0, 127], dtype=np.int8),
    "int16": np.array([-32768, 0, 32767], dtype=np.int16),
    "int32": np.array([-(2**31), 0, 2**31 - 1], dtype=np.int32),
    "int64": np.array([-(2**63), 2**53 + 1, 2**63 - 1], dtype=np.int64),
    "uint8": np.array([0, 1, 255], dtype=np.uint8),
    "uint16": np.array([0, 1, 65535], dtype=np.uint16),
    "uint32": np.array([0, 1, 2**32 - 1], dtype=np.uint32),
    "uint64": np.array([0, 2**53 + 1, 2**64 - 1], dtype=np.uint64),
    "fp16": np.array([-0.5, 65504, 6e-8], dtype=np.float16),
    "fp32": np.array([0.1, -3.4e38, 1e-45], dtype=np.float32),
    "fp64": np.array([0.1, -1.7e308, 5e-324], dtype=np.float64),
    "bytes": np.array(["", "grün 😀", "two words"], dtype=np.object_),
}


def main(url):
    client = triton.InferenceServerClient(url.removeprefix("http://"), concurrency=4)
    assert client.is_server_live() and client.is_server_ready()
    metadata = client.get_server_metadata()
    assert metadata["name"] == "nearcast" and "binary_tensor_data" in metadata["extensions"]
    assert client.is_model_ready("iris") and client.is_model_ready("iris", "1")
    assert not client.is_model_ready("nothing")
    assert client.get_model_metadata("iris")["inputs"][0]["shape"] == [-1, 4]
    assert client.get_model_metadata("iris", "1")["versions"] == ["1"]
    assert client.get_model_config("iris")["input"][0]["data_type"] == "TYPE_FP32"
    print("live, ready, metadata, config")

    for asked_binary in (True, False):
        for answered_binary in (True, False):
            result = infer(client, "iris", "features", FLOWER, "probabilities", asked_binary, answered_binary)
            assert result.as_numpy("probabilities").argmax(axis=1).tolist() == [0, 2]
    for coding in ("gzip", "deflate"):
        result = infer(
            client, "iris", "features", FLOWER, "probabilities", True, True,
            request_compression_algorithm=coding, response_compression_algorithm=coding,
        )
        assert result.as_numpy("probabilities").shape == (2, 3)
    hints = dict(priority=3, timeout=9_000_000, parameters={"tenant": "a"}, headers={"X-Trace": "b"})
    hinted = infer(client, "iris", "features", FLOWER, "probabilities", True, True, **hints)
    assert hinted.as_numpy("probabilities").shape == (2, 3)
    unnamed = client.infer("iris", [tensor("features", FLOWER, True)], request_id="seven")
    assert unnamed.get_response()["id"] == "seven"
    assert unnamed.as_numpy("probabilities").dtype == np.float32
    print("infer in binary and JSON, both ways, compressed")

    for name, array in ARRAYS.items():
        given = array.reshape(1, 3, 1)
        for binary in (True, False):
            if not binary and name == "fp16":
                continue  # The client has no JSON for FP16.
            answered = infer(client, name, "x", given, "y", binary, binary).as_numpy("y")
            if name == "bytes":
                answered = np.array([text(item) for item in answered.ravel()], dtype=np.object_)
            assert answered.ravel().tolist() == given.ravel().tolist(), (name, binary, answered)
    print("every datatype, there and back")

    pending = [client.async_infer("iris", [tensor("features", FLOWER, True)]) for _ in range(8)]
    assert all(p.get_result().as_numpy("probabilities").shape == (2, 3) for p in pending)
    print("async_infer")

    index = {entry["name"]: entry["state"] for entry in client.get_model_repository_index()}
    assert index["iris"] == "READY"
    client.unload_model("iris")
    client.load_model("iris")
    client.unload_model("iris", unload_dependents=True)
    infer(client, "iris", "features", FLOWER, "probabilities", True, True)
    stats = client.get_inference_statistics("iris")["model_stats"][0]
    assert stats["inference_stats"]["success"]["count"] == stats["execution_count"] > 0
    assert client.get_inference_statistics()["model_stats"]
    print("repository index, load, unload, statistics")

    for what, call in {
        "unknown model": lambda: client.get_model_metadata("nothing"),
        "unknown output": lambda: infer(client, "iris", "features", FLOWER, "nothing", True, True),
        "unknown input": lambda: client.infer("iris", [tensor("nothing", FLOWER, True)]),
        "wrong shape": lambda: client.infer("iris", [tensor("features", FLOWER[:, :3], True)]),
        "a sequence": lambda: infer(client, "iris", "features", FLOWER, "probabilities", True, True, sequence_id=9),
        "classification": lambda: client.infer(
            "iris", [tensor("features", FLOWER, True)],
            outputs=[triton.InferRequestedOutput("probabilities", class_count=2)],
        ),
        "load with a config": lambda: client.load_model("iris", config="{}"),
    }.items():
        try:
            call()
        except InferenceServerException as error:
            assert error.message(), what
        else:
            raise AssertionError(f"{what} was not refused")
    print("errors in the client's own form, all answered")


def tensor(name, array, binary):
    datatype = triton.InferInput(name, array.shape, np_to_triton_dtype(array.dtype))
    datatype.set_data_from_numpy(array, binary_data=binary)
    return datatype


def infer(client, model, name, array, output, asked_binary, answered_binary, **options):
    wanted = [triton.InferRequestedOutput(output, binary_data=answered_binary)]
    return client.infer(model, [tensor(name, array, asked_binary)], outputs=wanted, **options)


def text(item):
    return item.decode() if isinstance(item, bytes) else item


if __name__ == "__main__":
    main(sys.argv[1])
