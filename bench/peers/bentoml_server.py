"""BentoML with ONNX Runtime: one service with an API a model, in one worker, pydantic in and out."""

import base64
import io
from pathlib import Path
from typing import Annotated

import bentoml
import numpy as np
from onnxruntime import InferenceSession, SessionOptions
from PIL import Image
from pydantic import BaseModel, Field

MODELS = Path(__file__).parents[2] / "models"
IRIS = ["setosa", "versicolor", "virginica"]
SENTIMENT = ["negative", "positive"]
DIGITS = [str(digit) for digit in range(10)]

Centimetres = Annotated[float, Field(ge=0, le=20)]


class Measurements(BaseModel):
    sepal_length: Centimetres
    sepal_width: Centimetres
    petal_length: Centimetres
    petal_width: Centimetres


class Classification(BaseModel):
    label: str
    score: float
    scores: dict[str, float]


class Answer(BaseModel):
    model: str
    version: str
    outputs: Classification


def load(model: str) -> InferenceSession:
    options = SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return InferenceSession(MODELS / model / "1/model.onnx", options, providers=["CPUExecutionProvider"])


def answer(model: str, labels: list[str], row: np.ndarray) -> Answer:
    best = int(row.argmax())
    scores = row.tolist()
    outputs = Classification(label=labels[best], score=scores[best], scores=dict(zip(labels, scores)))
    return Answer(model=model, version="1", outputs=outputs)


@bentoml.service(workers=1)
class Models:
    def __init__(self) -> None:
        self.iris, self.sentiment, self.digits = load("iris"), load("sentiment"), load("digits")

    # `async def`: these runs are shorter than the switch to a thread that `def` would cost.
    @bentoml.api(route="/v1/models/iris/predict")
    async def predict_iris(self, inputs: Measurements) -> Answer:
        row = [inputs.sepal_length, inputs.sepal_width, inputs.petal_length, inputs.petal_width]
        feeds = {"features": np.array([row], np.float32)}
        return answer("iris", IRIS, self.iris.run(["probabilities"], feeds)[0][0])

    @bentoml.api(route="/v1/models/sentiment/predict")
    async def predict_sentiment(self, inputs: str) -> Answer:
        feeds = {"text": np.array([inputs], dtype=object)}
        return answer("sentiment", SENTIMENT, self.sentiment.run(["probabilities"], feeds)[0][0])

    @bentoml.api(route="/v1/models/digits/predict")
    async def predict_digits(self, inputs: str) -> Answer:
        image = Image.open(io.BytesIO(base64.b64decode(inputs)))
        if image.size != (8, 8):
            image = image.resize((8, 8), Image.Resampling.BILINEAR)
        pixels = np.asarray(image.convert("L"), np.float32).reshape(1, 1, 8, 8) / 255
        return answer("digits", DIGITS, self.digits.run(["probabilities"], {"pixels": pixels})[0][0])
