"""FastAPI with ONNX Runtime: one model a route, pydantic in and out, on uvicorn with uvloop and httptools."""

import base64
import io
from pathlib import Path
from typing import Annotated

import numpy as np
from fastapi import FastAPI
from onnxruntime import InferenceSession, SessionOptions
from PIL import Image
from pydantic import BaseModel, Field

MODELS = Path(__file__).parents[2] / "models"
IRIS = ["setosa", "versicolor", "virginica"]
SENTIMENT = ["negative", "positive"]
DIGITS = [str(digit) for digit in range(10)]


def load(model: str) -> InferenceSession:
    options = SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return InferenceSession(MODELS / model / "1/model.onnx", options, providers=["CPUExecutionProvider"])


iris, sentiment, digits = load("iris"), load("sentiment"), load("digits")
app = FastAPI()

Centimetres = Annotated[float, Field(ge=0, le=20)]


class Measurements(BaseModel):
    sepal_length: Centimetres
    sepal_width: Centimetres
    petal_length: Centimetres
    petal_width: Centimetres


class IrisRequest(BaseModel):
    inputs: Measurements


class StringRequest(BaseModel):
    inputs: str


class Classification(BaseModel):
    label: str
    score: float
    scores: dict[str, float]


class Answer(BaseModel):
    model: str
    version: str
    outputs: Classification


def answer(model: str, labels: list[str], row: np.ndarray) -> Answer:
    best = int(row.argmax())
    scores = row.tolist()
    outputs = Classification(label=labels[best], score=scores[best], scores=dict(zip(labels, scores)))
    return Answer(model=model, version="1", outputs=outputs)


# `async def`: these runs are shorter than the switch to a thread that `def` would cost.
@app.post("/v1/models/iris/predict")
async def predict_iris(request: IrisRequest) -> Answer:
    row = request.inputs
    features = np.array(
        [[row.sepal_length, row.sepal_width, row.petal_length, row.petal_width]], np.float32
    )
    return answer("iris", IRIS, iris.run(["probabilities"], {"features": features})[0][0])


@app.post("/v1/models/sentiment/predict")
async def predict_sentiment(request: StringRequest) -> Answer:
    text = np.array([request.inputs], dtype=object)
    return answer("sentiment", SENTIMENT, sentiment.run(["probabilities"], {"text": text})[0][0])


@app.post("/v1/models/digits/predict")
async def predict_digits(request: StringRequest) -> Answer:
    image = Image.open(io.BytesIO(base64.b64decode(request.inputs)))
    if image.size != (8, 8):
        image = image.resize((8, 8), Image.Resampling.BILINEAR)
    pixels = np.asarray(image.convert("L"), np.float32).reshape(1, 1, 8, 8) / 255
    return answer("digits", DIGITS, digits.run(["probabilities"], {"pixels": pixels})[0][0])
