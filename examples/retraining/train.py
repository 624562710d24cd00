"""Trains a forest on tables with the columns of FEATURES and `label`: train.py OUT.onnx TABLE.csv [TABLE.csv ...]"""

import csv
import sys

import numpy as np
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier

FEATURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def main():
    out, *tables = sys.argv[1:]
    rows = [row for table in tables for row in csv.DictReader(open(table, newline=""))]
    # The service packs float32: train on the same values.
    inputs = np.array([[float(row[name]) for name in FEATURES] for row in rows], np.float32)
    labels = np.array([row["label"] for row in rows])
    forest = RandomForestClassifier(n_estimators=50, max_depth=8, random_state=0)
    forest.fit(inputs, labels)
    model = to_onnx(
        forest,
        inputs[:1],
        options={"zipmap": False},
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    model.ir_version = 8
    with open(out, "wb") as file:
        file.write(model.SerializeToString())
    print(f"{out}: trained on {len(rows)} rows")


main()
