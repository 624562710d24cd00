"""Trains the retail model: what goes with the products in a basket.

EASE (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", 2019): one matrix from every
product to every other, in closed form. The graph is the product of the basket and that matrix.
"""

import csv
import json
import random
import sys
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from package import as_metrics, arguments, make_model, open_session, run, shortest, write_files

VERSION = "1"
SEED = 0
HELD_OUT = 1000
CHECKED = 2000
REGULARISATIONS = [10, 30, 100, 300, 1000]
TOP = 10
DATASET = "Online Retail (UCI), 1,000 held-out baskets with one product hidden"


def main():
    args = arguments(__file__, data="folder of products.csv and baskets.csv")
    catalogue, baskets = read(Path(args.data))
    choose = random.Random(SEED)
    choose.shuffle(baskets)
    heldout = [hide(basket, choose) for basket in baskets[:HELD_OUT]]
    train = baskets[HELD_OUT:]

    check, learn = [hide(basket, choose) for basket in train[:CHECKED]], train[CHECKED:]
    counts = count(learn, catalogue)
    rates = {
        strength: hit_rate(to_tensor(check, catalogue) @ ease(counts, strength), check, catalogue)
        for strength in REGULARISATIONS
    }
    strength = max(rates, key=rates.get)
    print(f"chosen regularisation {strength}: hit rate {rates[strength]:.4f} on a part of the training")

    counts = count(train, catalogue)
    model = export(ease(counts, strength))
    session = open_session(model)
    scores = run(session, to_tensor(heldout, catalogue))
    popularity = np.tile(np.diag(counts), (HELD_OUT, 1))
    measured = {
        "hit_rate_at_10": hit_rate(scores, heldout, catalogue),
        "hit_rate_at_10_of_most_popular": hit_rate(popularity, heldout, catalogue),
    }
    assert measured["hit_rate_at_10"] >= 2 * measured["hit_rate_at_10_of_most_popular"]

    examples = [["85123A"], ["22697", "22699"], heldout[0]["input"]]
    write_files(
        args.out,
        model,
        heldout,
        [(basket, answer(session, basket, catalogue)) for basket in examples],
        as_metrics(measured, DATASET, HELD_OUT),
        assets={"catalogue.json": to_json(catalogue)},
        name="retail",
        version=VERSION,
        task="recommendation",
        description="Recommends what goes with the products in a basket, from 500 products of a British "
        "shop for gifts. EASE over 16,000 invoices.",
        recommendation={"catalogue": "catalogue.json", "output": "scores"},
    )


def read(folder):
    with open(folder / "products.csv", encoding="utf-8", newline="") as file:
        catalogue = {row["stock_code"]: row["description"] for row in csv.DictReader(file)}
    lines = (folder / "baskets.csv").read_text(encoding="utf-8").splitlines()
    return catalogue, [line.split(",") for line in lines]


def hide(basket, choose):
    hidden = choose.choice(basket)
    return {"input": [item for item in basket if item != hidden], "label": hidden}


def to_tensor(lines, catalogue):
    columns = {item: column for column, item in enumerate(catalogue)}
    baskets = np.zeros((len(lines), len(catalogue)), np.float32)
    for row, line in enumerate(lines):
        baskets[row, [columns[item] for item in line["input"]]] = 1
    return baskets


def count(baskets, catalogue):
    """How often each two products are in one basket; on the diagonal, each one."""
    rows = to_tensor([{"input": basket} for basket in baskets], catalogue).astype(np.float64)
    return rows.T @ rows


def ease(counts, strength):
    # One thread: sums in a fixed order, so the same weights each time.
    with threadpool_limits(1):
        inverse = np.linalg.inv(counts + strength * np.eye(len(counts)))
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


def export(weights):
    size = len(weights)
    return make_model(
        [helper.make_node("MatMul", ["basket", "weights"], ["scores"])],
        "retail",
        [helper.make_tensor_value_info("basket", TensorProto.FLOAT, ["N", size])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", size])],
        [numpy_helper.from_array(weights.astype(np.float32), "weights")],
    )


def ranked(scores, basket, catalogue):
    """Products that are not in the basket, the best first."""
    order = np.argsort(-scores, kind="stable")
    items = list(catalogue)
    return [(items[column], scores[column]) for column in order if items[column] not in set(basket)]


def hit_rate(scores, lines, catalogue):
    hits = [
        line["label"] in [item for item, _ in ranked(row, line["input"], catalogue)[:TOP]]
        for row, line in zip(scores, lines)
    ]
    return float(np.mean(hits))


def answer(session, basket, catalogue):
    scores = run(session, to_tensor([{"input": basket}], catalogue))[0]
    best = ranked(scores, basket, catalogue)[:TOP]
    return [{"id": i, "name": catalogue[i], "score": shortest(score)} for i, score in best]


def to_json(catalogue):
    lines = (json.dumps({"id": i, "name": n}, ensure_ascii=False) for i, n in catalogue.items())
    return ("[\n" + ",\n".join(lines) + "\n]\n").encode()


if __name__ == "__main__":
    main()
