"""Splits by categories of XGBoost, for which onnxmltools writes nothing."""

import json

from categories import learner_of


def as_numbers(model):
    """The same model with a split by one number in the place of each split by categories: the place of its categories in the list beside it."""
    booster = model.get_booster()
    learner = learner_of(booster)
    learner["feature_types"] = ["float" for _ in learner["feature_types"]]
    trees = learner["gradient_booster"]["model"]
    trees["cats"] = {"enc": [], "feature_segments": [], "sorted_idx": []}
    sets = []
    for tree in trees["trees"]:
        parts = zip(tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"])
        for node, start, size in parts:
            tree["split_type"][node] = 0
            tree["split_conditions"][node] = float(len(sets))
            sets.append(tree["categories"][start : start + size])
        for name in ("categories", "categories_nodes", "categories_segments", "categories_sizes"):
            tree[name] = []
    own = type(model)()
    whole = json.loads(booster.save_raw("json"))
    own.load_model(bytearray(json.dumps({**whole, "learner": learner}).encode()))
    return own, sets


def with_splits(made, sets, places):
    """
    The graph with the splits by categories again. XGBoost sends the categories of a split to the right, so a node for each compares with
    it, and the last one sends all others to the left. `places` are the columns of categories.
    """
    for node in made.graph.node:
        if not node.op_type.startswith("TreeEnsemble"):
            continue
        lists = {one.name: one.strings or one.floats or one.ints for one in node.attribute if one.name.startswith("nodes_")}
        rows = [dict(zip(lists, row)) for row in zip(*lists.values())]
        last = {row["nodes_treeids"]: 0 for row in rows}
        for row in rows:
            last[row["nodes_treeids"]] = max(last[row["nodes_treeids"]], row["nodes_nodeids"])
        for row in list(rows):
            if row["nodes_featureids"] in places and row["nodes_modes"] != b"LEAF":
                more = split(row, sets[int(row["nodes_values"])], last[row["nodes_treeids"]])
                last[row["nodes_treeids"]] += len(more)
                rows += more
        rows.sort(key=lambda row: (row["nodes_treeids"], row["nodes_nodeids"]))
        for name, values in lists.items():
            values[:] = [row[name] for row in rows]
    return made


def split(row, categories, last):
    """Makes the node compare with the first category, and gives nodes for the others."""
    left, right = row["nodes_truenodeids"], row["nodes_falsenodeids"]
    # A missing one goes where the split says, at the first node or at the last.
    goes_left = row["nodes_missing_value_tracks_true"]
    chain = [row] + [{**row, "nodes_nodeids": last + 1 + index} for index in range(len(categories) - 1)]
    for index, (one, category) in enumerate(zip(chain, categories)):
        following = chain[index + 1]["nodes_nodeids"] if index + 1 < len(chain) else left
        one.update(
            nodes_modes=b"BRANCH_EQ",
            nodes_values=float(category),
            nodes_truenodeids=right,
            nodes_falsenodeids=following,
            nodes_missing_value_tracks_true=0 if goes_left else 1,
        )
    return chain[1:]
