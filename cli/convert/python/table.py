"""Reads the user's data frame: rows with the model's columns, what was to be predicted, and ranges."""

import math

from refusal import Refusal


def read_table(path, target):
    """The data frame of a .csv or .parquet file. Raises Refusal for one that cannot be read or has no such target."""
    import pandas as pd

    try:
        frame = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path)
    except ImportError as error:
        raise Refusal("Reading Parquet needs another package: --with pyarrow") from error
    except Exception as error:
        raise Refusal(f"{path} cannot be read: {error}") from error
    if len(frame) == 0:
        raise Refusal(f"{path} has no row.")
    if target is not None and target not in frame.columns:
        raise Refusal(f"{path} has no column {target}, which --target names; it has {', '.join(map(str, frame.columns))}.")
    return frame


def names_in(frame, target, count):
    """The names of the columns, from a file with as many as the model takes."""
    names = [str(name) for name in frame.columns if name != target]
    if len(names) == count:
        return names
    without = "" if target else " If one of them is what the model predicts, say which: --target"
    raise Refusal(f"The model takes {count} columns, and the data has {len(names)}: {', '.join(names)}.{without}")


def check_names(frame, columns):
    missing = [column.name for column in columns if column.name not in frame.columns]
    if missing:
        raise Refusal(f"The data has no column {', '.join(missing)}; it has {', '.join(map(str, frame.columns))}.")


def rows_of(frame, columns, limit):
    check_names(frame, columns)
    step = max(1, len(frame) / limit)
    picked = [int(index * step) for index in range(min(limit, len(frame)))]
    values = {column.name: [plain(one, column) for one in frame[column.name].iloc[picked]] for column in columns}
    return picked, [{column.name: values[column.name][at] for column in columns} for at in range(len(picked))]


def plain(value, column):
    if value is None or (isinstance(value, float) and math.isnan(value)) or str(value) in ("<NA>", "NaT"):
        return None
    if column.kind == "string":
        return str(value)
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise Refusal(f"The data has {value!r} in the column {column.name}, where the model takes numbers.") from error
    if math.isinf(number):
        raise Refusal(f"The data has an infinite number in the column {column.name}.")
    return int(number) if column.kind == "integer" and number.is_integer() else number


def describe(frame, columns):
    """What the training data says about each column: whole numbers, and the smallest and largest."""
    found = {}
    for column in columns:
        series = frame[column.name]
        if column.kind == "string":
            continue
        numbers = series.dropna().astype(float)
        if len(numbers) == 0:
            continue
        found[column.name] = {
            "minimum": float(numbers.min()),
            "maximum": float(numbers.max()),
        }
    return found
