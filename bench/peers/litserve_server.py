"""LitServe with ONNX Runtime: one LitAPI a model, one worker each, on one API server."""

import base64
import io
import os
from pathlib import Path

import litserve as ls
import numpy as np
from onnxruntime import InferenceSession, SessionOptions
from PIL import Image

MODELS = Path(__file__).parents[2] / "models"


class Classifier(ls.LitAPI):
    model: str
    labels: list[str]

    def __init__(self):
        super().__init__(api_path=f"/v1/models/{self.model}/predict")

    def setup(self, device):
        options = SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        path = MODELS / self.model / "1/model.onnx"
        self.session = InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def predict(self, feeds):
        return self.session.run(["probabilities"], feeds)[0][0]

    def encode_response(self, row):
        best = int(row.argmax())
        scores = row.tolist()
        outputs = {"label": self.labels[best], "score": scores[best], "scores": dict(zip(self.labels, scores))}
        return {"model": self.model, "version": "1", "outputs": outputs}


class Iris(Classifier):
    model = "iris"
    labels = ["setosa", "versicolor", "virginica"]
    features = ["sepal_length", "sepal_width", "petal_length", "petal_width"]

    def decode_request(self, request):
        inputs = request["inputs"]
        return {"features": np.array([[inputs[name] for name in self.features]], np.float32)}


class Sentiment(Classifier):
    model = "sentiment"
    labels = ["negative", "positive"]

    def decode_request(self, request):
        return {"text": np.array([request["inputs"]], dtype=object)}


class Digits(Classifier):
    model = "digits"
    labels = [str(digit) for digit in range(10)]

    def decode_request(self, request):
        image = Image.open(io.BytesIO(base64.b64decode(request["inputs"])))
        if image.size != (8, 8):
            image = image.resize((8, 8), Image.Resampling.BILINEAR)
        return {"pixels": np.asarray(image.convert("L"), np.float32).reshape(1, 1, 8, 8) / 255}


if __name__ == "__main__":
    server = ls.LitServer([Iris(), Sentiment(), Digits()], accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        num_api_servers=1,
        generate_client_file=False,
        log_level="warning",
    )
