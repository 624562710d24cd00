"""ONNX Runtime as an MLServer inference runtime."""

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import Datatype, InferenceRequest, InferenceResponse
from mlserver.utils import get_model_uri
from onnxruntime import InferenceSession, SessionOptions


class OnnxModel(MLModel):
    async def load(self) -> bool:
        options = SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        path = await get_model_uri(self.settings)
        self._session = InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        feeds = {
            tensor.name: np.array(StringCodec.decode_input(tensor), dtype=object)
            if tensor.datatype == Datatype.BYTES
            else NumpyCodec.decode_input(tensor)
            for tensor in payload.inputs
        }
        scores = self._session.run(["probabilities"], feeds)[0]
        return InferenceResponse(
            model_name=self.name,
            model_version=self.version,
            outputs=[NumpyCodec.encode_output("probabilities", scores)],
        )
