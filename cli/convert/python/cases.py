"""Inputs on which the original and its ONNX are compared."""

import random

import numpy as np

RANDOM_ROWS = 200
POINT_ROWS = 400
SPLIT_PAIRS = 200
SOME_ROWS = 20
DATA_ROWS = 1000
MOST_CATEGORIES = 200
UNKNOWN_TEXT = "never seen in training"
# A step of one float32 that changes an answer by more than this is a split, and no slope.
JUMP = 1e-4


def make_cases(original, data):
    """`[{"kind", "row", …}]` for a table. `data` are rows of the user's file, or none."""
    maker = Maker(original, data)
    cases = [*maker.random_rows(), *maker.near_points(), *maker.near_splits(), *maker.at_categories()]
    cases += maker.unknown() + maker.missing()
    chosen = evenly(list(enumerate(data)), DATA_ROWS)
    return cases + [{"kind": "data", "row": row, "at": at} for at, row in chosen]


def evenly(rows, count):
    step = max(1, len(rows) / count)
    return [rows[int(index * step)] for index in range(min(count, len(rows)))]


class Maker:
    def __init__(self, original, data):
        self.original = original
        self.columns = original.columns
        self.data = data
        self.random = random.Random(0)
        self.bases = self.make_bases()

    def make_bases(self):
        made = [{column.name: self.value(column) for column in self.columns} for _ in range(RANDOM_ROWS)]
        whole = [row for row in self.data if all(one is not None for one in row.values())]
        seen = evenly(whole, RANDOM_ROWS)
        return [as_float32(row) for row in made + seen]

    def value(self, column):
        if column.kind == "string":
            return self.random.choice(column.categories or ["a", "b"])
        if column.kind == "integer" and column.categories:
            return self.random.choice(column.categories)
        if self.data and self.random.random() < 0.5:
            found = self.random.choice(self.data)[column.name]
            if found is not None:
                return found
        low, high = span(column)
        number = self.random.uniform(low, high)
        if not column.points:
            # Nothing shows how large its numbers are.
            number *= 10 ** self.random.choice([-1, 0, 1, 2])
        return round(number) if column.kind == "integer" else number

    def random_rows(self):
        return [{"kind": "random", "row": row} for row in self.bases[:RANDOM_ROWS]]

    def numeric(self):
        return [column for column in self.columns if column.kind == "number"]

    def near_points(self):
        """Just below and just above the numbers that the model compares with, in float32."""
        points = [(column, point) for column in self.numeric() for point in set(column.points)]
        self.random.shuffle(points)
        cases = []
        for column, point in points[: POINT_ROWS // 3]:
            below = np.float32(point)
            below = below if float(below) <= point else np.nextafter(below, np.float32(-np.inf))
            above = np.nextafter(below, np.float32(np.inf))
            base = self.random.choice(self.bases)
            # Models that compare with < differ at the point itself, if it is a float32.
            under = np.nextafter(below, np.float32(-np.inf))
            # HistGradientBoosting compares doubles, which numbers in JSON are.
            near = (under, below, above, point) if self.original.compares_doubles else (under, below, above)
            cases += [{"kind": "split", "row": {**base, column.name: float(one)}} for one in near if np.isfinite(one)]
        return cases

    def near_splits(self):
        """Finds where an answer jumps between two neighbouring float32, by halving the way between two rows."""
        numeric = self.numeric()
        if not numeric:
            return []
        pairs = []
        for index in range(SPLIT_PAIRS):
            column = numeric[index % len(numeric)]
            base = self.random.choice(self.bases)
            other = self.random.choice(self.bases)[column.name]
            pairs.append((base, column.name, [ordinal(base[column.name]), ordinal(other)]))
        ask = lambda side: self.original.numbers([{**base, name: from_ordinal(ends[side])} for base, name, ends in pairs])
        low, high = ask(0), ask(1)
        for _ in range(33):
            middles = [(ends[0] + ends[1]) // 2 for _, _, ends in pairs]
            middle = self.original.numbers([{**base, name: from_ordinal(at)} for (base, name, _), at in zip(pairs, middles)])
            left = np.abs(middle - low).max(axis=1) >= np.abs(high - middle).max(axis=1)
            for index, (_, _, ends) in enumerate(pairs):
                if abs(ends[1] - ends[0]) > 1:
                    ends[1 if left[index] else 0] = middles[index]
                    (high if left[index] else low)[index] = middle[index]
        scale = np.maximum(np.abs(low).max(axis=1), 1e-30) if self.original.labels is None else 1
        jumps = np.abs(high - low).max(axis=1) > JUMP * scale
        found = [pair for pair, is_jump in zip(pairs, jumps) if is_jump]
        cases = []
        for base, name, ends in found:
            rows = [{**base, name: from_ordinal(at)} for at in ends]
            cases += [{"kind": "split", "row": row, "neighbour": other} for row, other in zip(rows, reversed(rows))]
        return cases

    def at_categories(self):
        cases = []
        for column in self.columns:
            for one in column.categories[:MOST_CATEGORIES] if column.kind != "number" else []:
                cases.append({"kind": "category", "row": {**self.random.choice(self.bases), column.name: one}})
        return cases

    def unknown(self):
        """Values that the encoders have not seen, of columns in which the model takes them."""
        cases = []
        for column in self.columns:
            if not column.categories:
                continue
            value = UNKNOWN_TEXT if column.kind == "string" else max(column.categories) + 1
            rows = [{**base, column.name: value} for base in self.bases[:SOME_ROWS]]
            column.refuses_unknown = not self.original.takes(rows)
            if not column.refuses_unknown:
                cases += [{"kind": "unknown", "row": row, "column": column.name} for row in rows]
        return cases

    def missing(self):
        """Rows without one value, and without all that may be missing."""
        cases = []
        able = []
        for column in self.columns:
            rows = [{**base, column.name: None} for base in self.bases[:SOME_ROWS]]
            # The graph's integers have no value for a missing one.
            column.takes_missing = column.kind != "integer" and self.original.takes(rows)
            if column.takes_missing:
                able.append(column.name)
                cases += [{"kind": "missing", "row": row, "column": column.name} for row in rows]
        if len(able) > 1:
            rows = [{**base, **dict.fromkeys(able)} for base in self.bases[:SOME_ROWS]]
            if self.original.takes(rows):
                cases += [{"kind": "missing", "row": row} for row in rows]
        return cases


def text_cases(original, data, vocabulary):
    """Texts of words that the model knows, of some that it does not, and the user's own."""
    chosen = random.Random(0)
    words = evenly(sorted(vocabulary), 500) or ["a"]
    odd = ["été", "ÉTÉ", "naïve-schön", "x1", "don't", "3.5%", "unheard-of", "\n", "  ", "a"]
    made = []
    for index in range(RANDOM_ROWS):
        count = chosen.randint(1, 12)
        picked = [chosen.choice(words) if chosen.random() < 0.8 else chosen.choice(odd) for _ in range(count)]
        text = " ".join(picked)
        made.append(text.upper() if index % 10 == 0 else text.capitalize() if index % 3 == 0 else text)
    made = [text for text in made if text.strip() != ""]
    rows = [{"kind": "data", "row": row, "at": at} for at, row in evenly(list(enumerate(data)), DATA_ROWS)]
    return [{"kind": "random", "row": text} for text in made] + rows


def span(column):
    points = [one for one in column.points if abs(one) < 1e30]
    if not points:
        return -3.0, 3.0
    low, high = min(points), max(points)
    margin = (high - low) * 0.1 or max(abs(low), 1.0)
    return low - margin, high + margin


def as_float32(row):
    return {name: float(np.float32(one)) if isinstance(one, float) else one for name, one in row.items()}


def ordinal(number):
    """The place of a float32 among all of them in order, so that neighbours differ by 1."""
    bits = int(np.float32(number).view(np.int32))
    return bits if bits >= 0 else -(bits & 0x7FFFFFFF)


def from_ordinal(place):
    bits = np.int32(abs(place)).view(np.float32)
    return float(bits if place >= 0 else -bits)
