"""KServe's part of an InferenceService, without a cluster.

kserve_runtime.py container NAME FILE…   checks the files against KServe's own models, and prints the container that KServe
                                         would start, as JSON
kserve_runtime.py ask URL GRPC MODEL…    asks models of image.slow.test.ts with KServe's clients
"""

import asyncio
import json
import sys

import httpx
import kserve.models
import kubernetes.client
import numpy as np
import yaml
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig


def container(name, *paths):
    for path in paths:
        with open(path) as file:
            given = yaml.safe_load(file)
        version = given["apiVersion"].split("/")[1].capitalize()
        check(given, f"{version}{given['kind']}", path)
        if given["kind"] == "ClusterServingRuntime":
            [runtime] = given["spec"]["containers"]
    # Go's template, which KServe applies to the container's JSON.
    print(json.dumps(runtime).replace("{{.Name}}", name))


def check(value, kind, where):
    """Every field must be one of KServe's, or of Kubernetes'."""
    if kind.startswith(("list[", "dict(str, ")):
        of = kind.removeprefix("list[").removeprefix("dict(str, ")[:-1]
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            check(one, of, f"{where}/{key}")
    elif hasattr(kserve.models, kind):
        model = getattr(kserve.models, kind)
        names = {alias: own for own, alias in model.attribute_map.items()}
        for key, one in value.items():
            assert key in names, f"{where}: {kind} has no {key}"
            check(one, model.openapi_types[names[key]], f"{where}/{key}")
    elif hasattr(kubernetes.client, kind):
        read = getattr(kubernetes.client, kind).model_validate(value)
        assert read.model_dump(by_alias=True, exclude_none=True) == value, f"{where} is not a {kind}"
    else:
        assert type(value).__name__ == kind, f"{where} is not a {kind}"


async def ask(url, grpc_url, *models):
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    grpc = InferenceGRPCClient(grpc_url)
    assert await client.is_server_live(url) and await client.is_server_ready(url)
    assert await grpc.is_server_live() and await grpc.is_server_ready()
    rows = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32)
    wanted = {"flowers": [2, 2, 2], "weighted": [1, 10, 100], "sales": [3, 3, 3]}
    for model in models:
        factors = wanted[model]
        assert await client.is_model_ready(url, model), model
        for binary in (False, True):
            tensor = InferInput("x", list(rows.shape), "FP32")
            tensor.set_data_from_numpy(rows, binary_data=binary)
            request = InferRequest(model, [tensor])
            for answer in (await client.infer(url, request, model_name=model), await grpc.infer(request)):
                [output] = answer.outputs
                assert output.name == "y"
                np.testing.assert_array_equal(output.as_numpy(), rows * np.array(factors, dtype=np.float32))
    wrong = InferInput("x", [1, 2], "FP32", [[1, 2]])
    try:
        await client.infer(url, InferRequest(models[0], [wrong]), model_name=models[0])
    except httpx.HTTPStatusError as error:
        assert error.response.status_code == 422, error.response.text
    else:
        raise AssertionError("a wrong shape was not refused")
    print("all answered")


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    if command == "container":
        container(*rest)
    else:
        asyncio.run(ask(*rest))
