"""FastAPI with `tokenizers` and ONNX Runtime for the model of make_bert.py, on uvicorn with uvloop and httptools."""

import os
from pathlib import Path

import numpy as np
from fastapi import FastAPI
from onnxruntime import InferenceSession, SessionOptions
from pydantic import BaseModel
from tokenizers import Tokenizer

MODEL = Path(os.environ["MODEL"])
LABELS = ["negative", "positive"]
options = SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = InferenceSession(MODEL / "model.onnx", options, providers=["CPUExecutionProvider"])
tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
tokenizer.enable_truncation(128)
app = FastAPI()


class TextRequest(BaseModel):
    inputs: str


class Classification(BaseModel):
    label: str
    score: float
    scores: dict[str, float]


class Answer(BaseModel):
    model: str
    version: str
    outputs: Classification


# `async def`: with one core a thread would only be switched to.
@app.post("/v1/models/bert/predict")
async def predict(request: TextRequest) -> Answer:
    encoding = tokenizer.encode(request.inputs)
    feeds = {
        "input_ids": np.array([encoding.ids], np.int64),
        "attention_mask": np.array([encoding.attention_mask], np.int64),
        "token_type_ids": np.array([encoding.type_ids], np.int64),
    }
    logits = session.run(["logits"], feeds)[0][0]
    powers = np.exp(logits - logits.max())
    scores = (powers / powers.sum()).tolist()
    best = int(np.argmax(scores))
    outputs = Classification(label=LABELS[best], score=scores[best], scores=dict(zip(LABELS, scores)))
    return Answer(model="bert", version="1", outputs=outputs)
