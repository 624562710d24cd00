"""Asks a running server as MLflow's own client asks a scoring server: python mlflow_client.py URL"""

import io
import json
import sys
import urllib.error
import urllib.request

import numpy as np
import pandas as pd
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
ROWS = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]


def main(url):
    client = ScoringServerClient(*url.removeprefix("http://").split(":"))
    client.wait_server_ready()
    assert client.get_version()
    frame = pd.DataFrame(ROWS, columns=NAMES)
    for data in (frame, frame[NAMES[::-1]], frame.set_index(pd.Index(["a", "b"])), np.array(ROWS), frame.to_dict(orient="records")):
        answer = client.invoke(data).get_predictions()
        assert answer["label"].tolist() == ["setosa", "virginica"], answer
    answer = client.invoke(frame, params={"top_k": 1}).get_predictions()
    assert [len(scores) for scores in answer["scores"]] == [1, 1], answer
    try:
        client.invoke(frame, params={"temperature": 1})
    except Exception as error:
        assert "temperature" in str(error), error
    else:
        raise AssertionError("an unknown parameter was not refused")
    print("MLflow's client: ready, version, data frames, arrays, params")

    frame = [dict(zip(NAMES, row)) for row in ROWS]
    forms = {
        # What mlflow.deployments and `mlflow models predict` make of a data frame: to_dict(orient="split").
        "dataframe_split": {"index": [0, 1], "columns": NAMES, "data": ROWS},
        "dataframe_records": frame,
        "instances": ROWS,
        "inputs": {name: [row[i] for row in ROWS] for i, name in enumerate(NAMES)},
    }
    for form, value in forms.items():
        status, answer = post(url, json.dumps({form: value}), "application/json")
        labels = [prediction["label"] for prediction in answer["predictions"]]
        assert (status, labels) == (200, ["setosa", "virginica"]), (form, status, answer)
    csv = io.StringIO()
    print(",".join(NAMES), file=csv)
    for row in ROWS:
        print(",".join(map(str, row)), file=csv)
    status, answer = post(url, csv.getvalue(), "text/csv")
    assert status == 200 and len(answer["predictions"]) == 2
    for body, kind in [("{}", "application/json"), ("x", "application/octet-stream")]:
        status, answer = post(url, body, kind)
        assert 400 <= status < 500 and answer["error_code"] and answer["message"], answer
    print("four JSON forms, CSV, errors, all answered")


def post(url, body, kind):
    headers = {"Content-Type": kind}
    request = urllib.request.Request(f"{url}/invocations", body.encode(), headers)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


if __name__ == "__main__":
    main(sys.argv[1])
