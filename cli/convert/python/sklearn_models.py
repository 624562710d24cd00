"""Converts what scikit-learn and libraries of boosted trees trained."""

import math
from pathlib import Path

import cases as inputs
import table
import boosting
from columns import columns_of, is_text, own_names, width_of
from export import export, parts, precisions
from load import load
from original import Original, plain_class
from refusal import Refusal

ROWS_READ = 20_000


def convert(job):
    model = load(job["path"], job["kind"], job["trust"])
    if not hasattr(model, "get_params"):
        raise Refusal(f"The file has a {type(model).__name__}, which is no estimator of scikit-learn. Save the fitted model or pipeline itself.")
    model = getattr(model, "best_estimator_", model)
    target = job["target"]
    frame = table.read_table(job["data"], target) if job["data"] else None
    made = text_report(job, model, frame, target) if is_text(model) else table_report(job, model, frame, target)
    return {**made, "about": about(model)}


def about(model):
    from importlib.metadata import version

    if boosting.is_boosted(model):
        package = "lightgbm" if isinstance(model, boosting.LightGBM) else type(model).__module__.split(".")[0]
        return f"{type(model).__name__} of {package} {__import__(package).__version__}"
    names = [type(step).__name__ for _, step in model.steps] if hasattr(model, "steps") else [type(model).__name__]
    return f"{' → '.join(names)} of scikit-learn {version('scikit-learn')}"


def table_report(job, model, frame, target):
    names = job["features"]
    own = own_names(model)
    if frame is not None and own is None and names is None:
        names = table.names_in(frame, target, width_of(model))
    columns = columns_of(model, names, frame)
    original = Original(model, columns, job["labels"])
    picked, rows = table.rows_of(frame, columns, ROWS_READ) if frame is not None else ([], [])
    compared = inputs.make_cases(original, rows)
    ranges = table.describe(frame, columns) if frame is not None else {}
    return {
        **outcome(job, original, columns, compared),
        "features": [feature(column, ranges.get(column.name, {})) for column in columns],
        # skl2onnx loses where the trees of forests send a missing value. A few rows may not show it.
        "losesMissing": any(hasattr(one, "tree_") for one in parts(model)),
        "data": truths(frame, target, picked, rows, original),
    }


def text_report(job, model, frame, target):
    original = Original(model, None, job["labels"])
    if original.labels is None:
        raise Refusal("A regression of texts is not converted: Nearcast's text-regression needs a tokenizer of Hugging Face.")
    first = model.steps[0][1] if hasattr(model, "steps") else model
    picked, rows = [], []
    if frame is not None:
        names = job["features"] or table.names_in(frame, target, 1)
        picked, found = table.rows_of(frame, [TextColumn(names[0])], ROWS_READ)
        rows = [row[names[0]] or "" for row in found]
    compared = inputs.text_cases(original, [row for row in rows if row.strip() != ""], first.vocabulary_)
    return {**outcome(job, original, None, compared), "data": truths(frame, target, picked, rows, original)}


class TextColumn:
    kind = "string"

    def __init__(self, name):
        self.name = name


def outcome(job, original, columns, compared):
    answers = original.answers([case["row"] for case in compared])
    told = [{**case, "expected": answer} for case, answer in zip(compared, answers) if is_finite(answer)]
    told = with_neighbours(original, told)
    if not told:
        raise Refusal("The model answers none of the inputs with finite numbers.")
    graphs, errors = [], []
    for precision in precisions(original.model, columns):
        try:
            made, scores = export(original.model, columns, precision)
        except Refusal as refusal:
            errors.append(refusal)
            continue
        path = Path(job["out"], f"{precision}.onnx")
        path.write_bytes(made.SerializeToString())
        graphs.append({"file": path.name, "precision": precision, "scores": scores or meaning(original)})
    if not graphs:
        raise errors[-1]
    return {
        "labels": original.targets if original.task == "tabular-regression" else original.labels,
        **({"task": original.task} if original.task else {}),
        "graphs": graphs,
        "cases": told,
    }


def with_neighbours(original, told):
    """
    What the original answers for the neighbouring float32 of an input next to a jump. Trees must be right there. Other models, such as
    the votes of SVC, jump where a computed number is 0, which no two computers round alike.
    """
    pairs = [case for case in told if "neighbour" in case]
    if has_trees(original.model):
        return [{key: value for key, value in case.items() if key != "neighbour"} for case in told]
    answers = original.answers([case["neighbour"] for case in pairs]) if pairs else []
    for case, answer in zip(pairs, answers):
        case["neighbour"] = answer
    return told


def has_trees(model):
    return boosting.is_boosted(model) or any(
        hasattr(one, "tree_") or hasattr(one, "_predictors") or boosting.is_boosted(one) for one in parts(model)
    )


def is_finite(answer):
    numbers = [answer["value"]] if "value" in answer else list(answer.get("values", answer.get("numbers", {})).values())
    return all(math.isfinite(one) for one in numbers)


def meaning(original):
    if original.labels is None:
        return None
    return {"predict_proba": "probabilities", "decision_function": "decision-values", None: "none"}[original.method]


def feature(column, ranges):
    found = {"name": column.name, "type": column.kind}
    if ranges:
        found["range"] = ranges
    if column.kind == "string":
        found["known"] = column.categories
        found["refusesUnknown"] = getattr(column, "refuses_unknown", False)
    value = missing_value(column) if getattr(column, "takes_missing", False) else None
    return found if value is None else {**found, "missing": value}


def missing_value(column):
    """What the graph gets for a missing value. None where the graph can get nothing for it."""
    if column.kind == "number":
        return "NaN"
    if column.kind == "integer":
        return None
    if column.fill is not None:
        return column.fill
    # A converter names the category of missing values nan; to an encoder without one they are as an unknown text.
    return "nan" if column.knows_missing else ""


def truths(frame, target, picked, rows, original):
    """The rows of the file with what was to be predicted, to measure by."""
    if frame is None or target is None or original.independent or original.task:
        return []
    values = frame[target].iloc[picked]
    found = []
    for at, row, value in zip(picked, rows, values):
        if value is None or value != value:
            continue
        if original.labels is None:
            label = float(value)
        else:
            known = plain_class(value)
            if known not in original.classes:
                raise Refusal(f"Row {at + 1} of the data has {known!r} in {target}, which is none of the model's classes: {', '.join(map(str, original.classes))}.")
            label = original.labels[original.classes.index(known)]
        found.append({"input": row, "label": label, "line": at + 2})
    return found
