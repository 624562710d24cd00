"""Trains the diabetes model: a regression over ten measurements of a patient."""

import sys
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    ShuffleSplit,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from package import as_metrics, arguments, make_model, open_session, run, shortest, write_files

VERSION = "1"
SEED = 0
HELD_OUT = 200
DATASET = "scikit-learn diabetes, 200 held-out patients of 442"

# Units and meanings are those of the data's own description (Efron, Hastie, Johnstone and Tibshirani,
# "Least Angle Regression", 2004); where it gives none, there is none here. The bounds are wide: they
# catch a value in another unit or in the wrong column, not an unusual patient.
FEATURES = [
    ("age", "integer", 0, 120, "years", "age"),
    ("sex", "integer", 1, 2, None, "sex, 1 or 2 as the data codes it"),
    ("bmi", "number", 10, 80, "kg/m²", "body mass index"),
    ("bp", "number", 30, 200, None, "average blood pressure"),
    ("s1", "number", 50, 500, None, "tc, total serum cholesterol"),
    ("s2", "number", 10, 400, None, "ldl, low-density lipoproteins"),
    ("s3", "number", 5, 200, None, "hdl, high-density lipoproteins"),
    ("s4", "number", 1, 20, None, "tch, total cholesterol divided by hdl"),
    ("s5", "number", 1, 10, None, "ltg, possibly the logarithm of serum triglycerides"),
    ("s6", "number", 30, 400, None, "glu, blood sugar"),
]
NAMES = [feature[0] for feature in FEATURES]


def main():
    args = arguments(__file__)
    data = load_diabetes(scaled=False)
    assert list(data.feature_names) == NAMES
    # The server packs float32: train on the same values.
    patients = data.data.astype(np.float32)
    train, test, train_targets, test_targets = train_test_split(
        patients, data.target, test_size=HELD_OUT, random_state=SEED
    )
    search = GridSearchCV(
        Pipeline([("scale", StandardScaler()), ("ridge", Ridge())]),
        {"ridge__alpha": [0.1, 1, 3, 10, 30, 100]},
        cv=KFold(10, shuffle=True, random_state=SEED),
    )
    search.fit(train, train_targets)
    print(f"chosen {search.best_params_}, cross-validated R² {search.best_score_:.3f}")
    model = export(search.best_estimator_)

    session = open_session(model)
    heldout = [
        {"input": as_input(patient), "label": float(target)}
        for patient, target in zip(test, test_targets)
    ]
    predicted = run(session, to_tensor([line["input"] for line in heldout]))[:, 0]
    difference = np.abs(predicted - search.predict(test)).max()
    assert difference < 1e-2, f"the export differs by {difference}"

    # 200 patients say something, another 200 something else: the same recipe over many splits.
    splits = ShuffleSplit(n_splits=50, test_size=HELD_OUT, random_state=SEED)
    scores = cross_val_score(search.best_estimator_, patients, data.target, cv=splits)
    print(f"over 50 random splits: R² {scores.mean():.3f} ± {scores.std():.3f}")
    mean = np.full(HELD_OUT, train_targets.mean())
    print(f"the training mean alone: MAE {mean_absolute_error(test_targets, mean):.1f}")

    measured = {
        "r2": r2_score(test_targets, predicted),
        "mae": mean_absolute_error(test_targets, predicted),
        "rmse": root_mean_squared_error(test_targets, predicted),
        "mae_of_training_mean": mean_absolute_error(test_targets, mean),
    }
    examples = [heldout[i]["input"] for i in (0, int(predicted.argmin()), int(predicted.argmax()))]
    write_files(
        args.out,
        model,
        heldout,
        [(given, {"value": shortest(run(session, to_tensor([given]))[0, 0])}) for given in examples],
        as_metrics(measured, DATASET, HELD_OUT),
        name="diabetes",
        version=VERSION,
        task="tabular-regression",
        description="Predicts how far diabetes has progressed a year on, as the score of 25 to 346 of "
        "the 442 patients it knows, from ten measurements. Ridge regression: it explains about half "
        "of the variance. Made to show the task, not to advise anyone.",
        features=[describe(*feature) for feature in FEATURES],
        regression={"output": "progression"},
    )


def describe(name, kind, minimum, maximum, unit, description):
    limits = {"minimum": minimum, "maximum": maximum}
    unit = {"unit": unit} if unit else {}
    return {"name": name, "type": kind, "description": description, **limits, **unit}


def export(pipeline):
    """Scaling and regression as one product: centred on the mean, where float32 loses nothing."""
    scale, ridge = pipeline["scale"], pipeline["ridge"]
    constants = {
        "mean": scale.mean_,
        "weights": (ridge.coef_ / scale.scale_)[:, None],
        "bias": np.array([ridge.intercept_]),
    }
    return make_model(
        [
            helper.make_node("Sub", ["features", "mean"], ["centred"]),
            helper.make_node("Gemm", ["centred", "weights", "bias"], ["progression"]),
        ],
        "diabetes",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", len(NAMES)])],
        [helper.make_tensor_value_info("progression", TensorProto.FLOAT, ["N", 1])],
        [numpy_helper.from_array(v.astype(np.float32), k) for k, v in constants.items()],
    )


def as_input(patient):
    whole = {name for name, kind, *_ in FEATURES if kind == "integer"}
    values = dict(zip(NAMES, map(shortest, patient)))
    return {name: int(value) if name in whole else value for name, value in values.items()}


def to_tensor(inputs):
    return np.array([[row[name] for name in NAMES] for row in inputs], np.float32)


if __name__ == "__main__":
    main()
