"""Trains the anomaly model: which readings of a pump station are unusual.

The readings are made by this script. A pump has several ways to run, and what is usual in one of them is unusual in
another, so no single range or direction tells faults from usual readings. Distances to neighbours do it better than
this forest: the baselines say by how much.
"""

import sys
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, precision_score, recall_score, roc_auc_score
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from package import as_metrics, arguments, make_model, open_session, run, shortest, write_files

VERSION = "1"
SEED = 0
TRAINED_ON = 4000
HELD_OUT = 1000
FAULTY = 0.05
# Chosen on readings of other seeds: with the usual 256 samples a tree cannot tell six ways to run apart.
TREES = 50
SAMPLES = 1024
REPEATS = 20
DATASET = (
    "1,000 readings of a pump station that train.py made, 50 of them of five faults; "
    "none was trained on, and faults have no labels in training"
)

# Bounds catch a value in another unit or in the wrong column, not an unusual reading.
FEATURES = [
    ("speed", 0, 6000, "rpm", "speed of the pump"),
    ("flow", 0, 1000, "l/min", "flow behind the pump"),
    ("pressure", 0, 50, "bar", "pressure behind the pump"),
    ("power", 0, 100, "kW", "electrical power of the motor"),
    ("temperature", -40, 200, "°C", "temperature of the motor's winding"),
    ("vibration", 0, 100, "mm/s", "root mean square of the bearing's vibration velocity"),
]
NAMES = [name for name, *_ in FEATURES]

# How the pump runs: its share of the time, speed (rpm), share of the valve that is open, and the motor's usual °C.
MODES = [
    (0.2, 0, 0.0, 22),
    (0.25, 1450, 0.8, 41),
    (0.2, 2900, 0.9, 63),
    (0.1, 2900, 0.35, 74),
    (0.1, 1450, 0.2, 55),
    (0.15, 2100, 1.0, 35),
]


def main():
    args = arguments(__file__)
    random = np.random.default_rng(SEED)
    train, _ = readings(TRAINED_ON, random)
    test, faulty = readings(HELD_OUT, random)
    forest = fit(train)
    model = export(forest)
    session = open_session(model)

    everything = np.concatenate([train, test, edges(forest)])
    difference = np.abs(run(session, everything)[:, 0] - forest.decision_function(everything))
    assert difference.max() < 1e-6, f"the export differs by {difference.max()}"

    heldout = [
        {"input": as_input(reading), "label": bool(fault)} for reading, fault in zip(test, faulty)
    ]
    scores = run(session, to_tensor([line["input"] for line in heldout]))[:, 0]
    measured = {
        "average_precision": average_precision_score(faulty, -scores),
        "roc_auc": roc_auc_score(faulty, -scores),
        "precision": precision_score(faulty, scores < 0),
        "recall": recall_score(faulty, scores < 0),
    }
    for name, strength in baselines(train, test).items():
        measured[f"average_precision_of_{name}"] = average_precision_score(faulty, strength)
        measured[f"roc_auc_of_{name}"] = roc_auc_score(faulty, strength)
    repeat()

    usual, unusual = scores.argmax(), scores.argmin()
    examples = [heldout[row]["input"] for row in (usual, unusual, faulty.argmax())]
    write_files(
        args.out,
        model,
        heldout,
        [(given, answer(session, given)) for given in examples],
        as_metrics(measured, DATASET, HELD_OUT),
        name="anomaly",
        version=VERSION,
        task="tabular-anomaly-detection",
        description="Finds unusual readings of a pump station: six measurements, an isolation forest of 50 trees. "
        "The readings that it was trained on are made up by a script; it knows no real pump.",
        features=[
            {"name": name, "type": "number", "description": text, "minimum": low, "maximum": high, "unit": unit}
            for name, low, high, unit, text in FEATURES
        ],
        anomaly={"output": "decision", "side": "below", "threshold": 0},
    )


def readings(count, random):
    """Readings [count, 6], and which of them are of a fault. One in twenty is."""
    shares, speeds, valves, temperatures = np.array(MODES).T
    mode = random.choice(len(MODES), count, p=shares)
    speed = speeds[mode] * random.normal(1, 0.01, count)
    valve = valves[mode] * random.normal(1, 0.03, count)
    # The laws of pumps: flow goes with the speed, pressure with its square and power with its cube.
    turns = speed / 2900
    flow = 420 * turns * valve
    pressure = 1.2 + 7 * turns**2 * (1 - 0.5 * valve**2)
    power = 0.3 + 18 * turns**3 * (0.4 + 0.6 * valve)
    temperature = temperatures[mode] + random.normal(0, 3, count)
    vibration = 0.2 + 2.2 * turns
    made = np.stack([speed, flow, pressure, power, temperature, vibration], axis=1)

    faulty = np.zeros(count, bool)
    faulty[: round(count * FAULTY)] = True
    random.shuffle(faulty)
    for row in np.flatnonzero(faulty):
        made[row] = broken(made[row], random)
    noise = random.normal(1, 0.02, made.shape)
    return (made * noise).clip(0).round(2).astype(np.float32), faulty


def broken(reading, random):
    """The reading under one of five faults; a pump that stands still can only leak or be hot."""
    speed, flow, pressure, power, temperature, vibration = reading
    extent = random.uniform(0.4, 1)
    if speed < 100:
        fault = random.choice(["leak", "heat"])
    else:
        fault = random.choice(["blocked", "dry", "bearing", "leak", "heat"])
    if fault == "blocked":
        flow, pressure = flow * (1 - 0.8 * extent), pressure * (1 + 0.5 * extent)
    elif fault == "dry":
        flow, power, vibration = flow * (1 - extent), power * (1 - 0.6 * extent), vibration * (1 + extent)
    elif fault == "bearing":
        vibration, temperature = vibration * (1 + 2 * extent), temperature + 15 * extent
    elif fault == "leak":
        flow, pressure = flow + 120 * extent, pressure * (1 - 0.6 * extent)
    else:
        temperature += 35 * extent
    return speed, flow, pressure, power, temperature, vibration


def fit(train):
    """Also among the readings that it learns from, one in twenty is of a fault: nobody has sorted them out."""
    forest = IsolationForest(
        n_estimators=TREES, max_samples=SAMPLES, contamination=FAULTY, random_state=SEED
    )
    return forest.fit(train)


def baselines(train, test):
    """How unusual readings are by LOF, by the distance of the 20th neighbour and of the nearest of six middles, one for
    each way to run (these three of scaled readings), by the farthest of robust z-scores, by what two principal
    components leave out (of one to five the best number) and by the Mahalanobis distance.
    """
    middle = np.median(train, axis=0)
    spread = np.median(np.abs(train - middle), axis=0)
    scale = StandardScaler().fit(train)
    known, scaled = scale.transform(train), scale.transform(test)
    plane = PCA(2).fit(known)
    left_out = scaled - plane.inverse_transform(plane.transform(scaled))
    from_mean = test - train.mean(axis=0)
    inverse = np.linalg.inv(np.cov(train.T))
    return {
        "lof": -LocalOutlierFactor(n_neighbors=100, novelty=True).fit(known).score_samples(scaled),
        "neighbours": NearestNeighbors(n_neighbors=20).fit(known).kneighbors(scaled)[0][:, -1],
        "k_means": KMeans(len(MODES), n_init=10, random_state=SEED).fit(known).transform(scaled).min(axis=1),
        "robust_z_scores": np.abs((test - middle) / spread).max(axis=1),
        "pca": (left_out**2).sum(axis=1),
        "mahalanobis": (from_mean @ inverse * from_mean).sum(axis=1),
    }


def repeat():
    """Fifty faults say little: the same recipe over other readings."""
    found = {}
    for seed in range(1, REPEATS + 1):
        random = np.random.default_rng(seed)
        (train, _), (test, faulty) = readings(TRAINED_ON, random), readings(HELD_OUT, random)
        strengths = {"forest": -fit(train).decision_function(test), **baselines(train, test)}
        for name, strength in strengths.items():
            found.setdefault(name, []).append(average_precision_score(faulty, strength))
    for name, values in found.items():
        print(f"over {REPEATS} repeats: average precision of {name} {np.mean(values):.3f} ± {np.std(values):.3f}")


def export(forest):
    """One ensemble that sums, over all trees, how deep a reading ends: scikit-learn's decision from it."""
    trees = {key: [] for key in ["treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids"]}
    leaves = {key: [] for key in ["treeids", "nodeids", "weights"]}
    for number, one in enumerate(forest.estimators_):
        tree = one.tree_
        depths = depths_of(tree)
        for node in range(tree.node_count):
            is_leaf = tree.children_left[node] == -1
            trees["treeids"].append(number)
            trees["nodeids"].append(node)
            trees["modes"].append("LEAF" if is_leaf else "BRANCH_LEQ")
            trees["featureids"].append(0 if is_leaf else int(tree.feature[node]))
            trees["values"].append(0.0 if is_leaf else below(tree.threshold[node]))
            trees["truenodeids"].append(0 if is_leaf else int(tree.children_left[node]))
            trees["falsenodeids"].append(0 if is_leaf else int(tree.children_right[node]))
            if is_leaf:
                leaves["treeids"].append(number)
                leaves["nodeids"].append(node)
                leaves["weights"].append(depths[node] + path_length(tree.n_node_samples[node]))
    most = len(forest.estimators_) * path_length(forest.max_samples_)
    constants = {
        "minus_most": np.array([-most]),
        "two": np.array([2.0]),
        "minus_offset": np.array([-forest.offset_]),
    }
    return make_model(
        [
            helper.make_node(
                "TreeEnsembleRegressor",
                ["features"],
                ["depths"],
                domain="ai.onnx.ml",
                aggregate_function="SUM",
                n_targets=1,
                **{f"nodes_{key}": values for key, values in trees.items()},
                **{f"target_{key}": values for key, values in leaves.items()},
                target_ids=[0] * len(leaves["weights"]),
            ),
            helper.make_node("Div", ["depths", "minus_most"], ["power"]),
            helper.make_node("Pow", ["two", "power"], ["strength"]),
            helper.make_node("Sub", ["minus_offset", "strength"], ["decision"]),
        ],
        "anomaly",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", len(NAMES)])],
        [helper.make_tensor_value_info("decision", TensorProto.FLOAT, ["N", 1])],
        [numpy_helper.from_array(v.astype(np.float32), k) for k, v in constants.items()],
    )


def depths_of(tree):
    depths = np.zeros(tree.node_count)
    for node in range(tree.node_count):
        for child in (tree.children_left[node], tree.children_right[node]):
            if child != -1:
                depths[child] = depths[node] + 1
    return depths


def path_length(samples):
    """How many splits isolate one of so many samples on average (Liu, Ting and Zhou, 2008)."""
    if samples <= 1:
        return 0.0
    if samples == 2:
        return 1.0
    return 2 * (np.log(samples - 1) + np.euler_gamma) - 2 * (samples - 1) / samples


def below(threshold):
    """The largest float32 that is not above the threshold: the same readings go left."""
    near = np.float32(threshold)
    return float(near if near <= threshold else np.nextafter(near, np.float32(-np.inf)))


def edges(forest):
    """Readings exactly on, below and above thresholds of the first trees."""
    random = np.random.default_rng(SEED)
    rows = []
    for one in forest.estimators_[:20]:
        tree = one.tree_
        for feature, threshold in zip(tree.feature, tree.threshold):
            if feature < 0:
                continue
            near = np.float32(below(threshold))
            for value in (near, np.nextafter(near, np.float32(np.inf)), np.nextafter(near, np.float32(-np.inf))):
                row = random.uniform(0, 60, len(NAMES)).astype(np.float32)
                row[feature] = value
                rows.append(row)
    return np.stack(rows)


def answer(session, given):
    score = shortest(run(session, to_tensor([given]))[0, 0])
    return {"anomaly": score < 0, "score": score}


def as_input(reading):
    return dict(zip(NAMES, map(shortest, reading)))


def to_tensor(inputs):
    return np.array([[row[name] for name in NAMES] for row in inputs], np.float32)


if __name__ == "__main__":
    main()
