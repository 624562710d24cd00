"""Asks a running server as KServe's own gRPC client does: python kserve_grpc_client.py HOST:PORT"""

import asyncio
import sys

import grpc
import numpy as np
from kserve import InferenceGRPCClient, InferInput, InferRequest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as messages
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub
from kserve.protocol.infer_type import RequestedOutput

FLOWERS = np.array([[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]], dtype=np.float32)


async def main(url):
    client = InferenceGRPCClient(url)
    assert await client.is_server_ready() and await client.is_server_live()
    assert await client.is_model_ready("iris")
    print("server and model are live and ready")

    for binary in (False, True):
        for wanted in (None, [RequestedOutput("probabilities", {"binary_data": binary})]):
            request = InferRequest("iris", [tensor(FLOWERS, binary)], request_outputs=wanted, parameters={"tenant": "a"})
            answer = await client.infer(request)
            assert answer.model_name == "iris" and answer.id == (request.id or "")
            [output] = answer.outputs
            assert output.as_numpy().reshape(2, 3).argmax(axis=1).tolist() == [0, 2], output
    for binary in (False, True):
        texts = InferInput("text", [2], "BYTES")
        texts.set_data_from_numpy(np.array(["I love it", "terrible"], dtype=np.object_), binary_data=binary)
        answer = await client.infer(InferRequest("sentiment", [texts]))
        assert answer.outputs[0].as_numpy().reshape(2, 2).shape == (2, 2)
    print("typed and raw tensors, texts")

    async with grpc.aio.insecure_channel(url) as channel:
        stub = GRPCInferenceServiceStub(channel)
        unloaded = await stub.RepositoryModelUnload(messages.RepositoryModelUnloadRequest(model_name="iris"))
        assert unloaded.model_name == "iris" and unloaded.isUnloaded
        loaded = await stub.RepositoryModelLoad(messages.RepositoryModelLoadRequest(model_name="iris"))
        assert loaded.model_name == "iris" and loaded.isLoaded
    print("load and unload")

    for what, (code, refused) in {
        "an unknown model": (grpc.StatusCode.NOT_FOUND, client.infer(InferRequest("nothing", [tensor(FLOWERS, False)]))),
        "an unknown model's readiness": (grpc.StatusCode.NOT_FOUND, client.is_model_ready("nothing")),
        "a wrong shape": (
            grpc.StatusCode.INVALID_ARGUMENT,
            client.infer(InferRequest("iris", [tensor(FLOWERS[:, :3], True)])),
        ),
    }.items():
        try:
            await refused
        except grpc.RpcError as error:
            assert error.code() == code and error.details(), (what, error)
        else:
            raise AssertionError(f"{what} was not refused")
    await client.close()
    print("errors, all answered")


def tensor(array, binary):
    made = InferInput("features", list(array.shape), "FP32")
    made.set_data_from_numpy(array, binary_data=binary)
    return made


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
