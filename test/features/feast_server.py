"""Serves features by a real Feast: python feast_server.py FOLDER PORT

Makes a feature repository in the folder, with SQLite as online store. Each line of JSON on standard input is
{"view": …, "rows": [{…}]}, which is written to the online store; "ok" on standard output answers it.
"""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.repo_config import RepoConfig
from feast.types import Bool, Float64, Int64, String

CUSTOMERS = {"spend": Float64, "tier": String, "visits": Int64, "number": Float64, "integer": Int64, "yes": Bool}
CUSTOMERS |= {"no": Bool, "text": String, "place": Int64, "index": Int64}
CHURN = {"age": Float64, "member": Bool, "city": String}
VIEWS = {
    "customers": ({"customer": ValueType.STRING}, CUSTOMERS, None),
    "numbers": ({"number": ValueType.INT64}, {"spend": Float64}, None),
    "shops": ({"shop": ValueType.STRING, "customer": ValueType.STRING}, {"spend": Float64}, None),
    "churn": ({"customer_id": ValueType.INT64}, CHURN, timedelta(hours=1)),
    "wrong": ({"customer_id": ValueType.INT64}, {"age": String, "member": Bool, "city": String}, None),
}


def views(folder):
    entities = {}
    for keys, _, _ in VIEWS.values():
        for name, kind in keys.items():
            entities[name] = Entity(name=name, join_keys=[name], value_type=kind)
    yield from entities.values()
    for name, (keys, features, ttl) in VIEWS.items():
        yield FeatureView(
            name=name,
            entities=[entities[key] for key in keys],
            ttl=ttl or timedelta(0),
            schema=[Field(name=feature, dtype=kind) for feature, kind in features.items()],
            # Nothing reads it: rows are written online.
            source=FileSource(name=f"{name}_file", path=str(folder / f"{name}.parquet"), timestamp_field="event_timestamp"),
        )


def main(folder, port):
    folder = Path(folder)
    (folder / "feature_store.yaml").write_text(
        "project: nearcast\nprovider: local\nregistry: registry.db\n"
        "online_store:\n  type: sqlite\n  path: online.db\nentity_key_serialization_version: 3\n"
    )
    store = FeatureStore(repo_path=str(folder))
    for name, (keys, features, _) in VIEWS.items():
        empty = pd.DataFrame({column: [] for column in [*keys, *features]})
        empty["event_timestamp"] = pd.to_datetime([], utc=True)
        empty.to_parquet(folder / f"{name}.parquet")
    store.apply(list(views(folder)))
    command = [sys.executable, "-m", "feast.cli.cli", "-c", str(folder), "serve", "-p", port, "--no-access-log", "-w", "1"]
    server = subprocess.Popen(command, stdout=sys.stderr)
    try:
        for line in sys.stdin:
            given = json.loads(line)
            keys, features, _ = VIEWS[given["view"]]
            columns = [*keys, *features, "event_timestamp"]
            # Columns of objects: a missing value must not make floats of integers.
            rows = pd.DataFrame([[row.get(name) for name in columns] for row in given["rows"]], columns=columns, dtype=object)
            rows["event_timestamp"] = pd.to_datetime(rows["event_timestamp"], unit="ms", utc=True)
            store.write_to_online_store(given["view"], df=rows)
            print("ok", flush=True)
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
