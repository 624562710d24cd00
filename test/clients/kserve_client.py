"""Asks a running server as KServe's own client does, in protocols v1 and v2: python kserve_client.py URL"""

import asyncio
import sys

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

FLOWERS = np.array([[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]], dtype=np.float32)


async def main(url):
    v1, v2 = (InferenceRESTClient(RESTConfig(protocol=protocol)) for protocol in ("v1", "v2"))
    assert await v2.is_server_ready(url) and await v2.is_server_live(url)
    assert await v2.is_model_ready(url, "iris") and await v1.is_model_ready(url, "iris")
    assert not await v2.is_model_ready(url, "nothing")
    print("server and model are live and ready")

    for binary in (False, True):
        for wanted in (None, [RequestedOutput("probabilities", {"binary_data": binary})]):
            request = InferRequest("iris", [tensor(FLOWERS, binary)], request_outputs=wanted, parameters={"tenant": "a"})
            answer = await v2.infer(url, request, model_name="iris")
            assert answer.model_name == "iris" and answer.id
            [output] = answer.outputs
            assert output.as_numpy().argmax(axis=1).tolist() == [0, 2], output
    texts = InferInput("text", [2], "BYTES")
    texts.set_data_from_numpy(np.array(["I love it", "terrible"], dtype=np.object_), binary_data=True)
    answer = await v2.infer(url, InferRequest("sentiment", [texts]), model_name="sentiment")
    assert answer.outputs[0].as_numpy().shape == (2, 2)
    answer = await v1.infer(url, {"instances": FLOWERS.tolist()}, model_name="iris")
    assert np.argmax(answer["predictions"], axis=1).tolist() == [0, 2]
    print("v2 in JSON and binary, texts, v1")

    for what, refused in {
        "another model's name": v2.infer(url, InferRequest("digits", [tensor(FLOWERS, False)]), model_name="iris"),
        "an unknown model": v2.infer(url, InferRequest("nothing", [tensor(FLOWERS, False)]), model_name="nothing"),
        "a wrong shape": v2.infer(url, InferRequest("iris", [tensor(FLOWERS[:, :3], True)]), model_name="iris"),
        "explain": v1.explain(url, "iris", {"instances": FLOWERS.tolist()}),
    }.items():
        try:
            await refused
        except httpx.HTTPStatusError as error:
            assert 400 <= error.response.status_code < 500 and error.response.json()["error"], what
        else:
            raise AssertionError(f"{what} was not refused")
    print("errors, all answered")


def tensor(array, binary):
    made = InferInput("features", list(array.shape), "FP32")
    made.set_data_from_numpy(array, binary_data=binary)
    return made


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
