"""Trains the sentiment model: TF-IDF and logistic regression, from raw text to scores in one graph.

The tokens that scikit-learn learns from come out of the same ONNX nodes that split the text when
the model serves, and the exported graph is compared with the scikit-learn pipeline on every
held-out sentence.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import Normalizer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from package import arguments, make_model, open_session, run, write_package

VERSION = "1"
SEED = 0
HELD_OUT = 600
LABELS = ["negative", "positive"]

# Letters and digits of any script. Apostrophes split words, so that "don't" is the pair "don t"
# whichever of ' and ’ the writer's keyboard makes.
TOKEN = r"[\p{L}\p{N}]+"
# Fills up the shorter rows of a batch. It cannot be a token, so it is in no vocabulary.
PADDING = "#"

EDGE_CASES = [
    "",
    "good",
    "BAD",
    "👍🏽 ❤️",
    "这个产品很好。",
    "two\nlines\r\n\tand a tab",
    "ÉTÉ Straße İstanbul",
    "excellent, but " * 667,
]


def main():
    args = arguments(__file__, data="sentences.csv, with the columns source, label and text")
    texts, targets = read(args.data)
    train, test, train_targets, test_targets = train_test_split(
        texts, targets, test_size=HELD_OUT, stratify=targets, random_state=SEED
    )

    search = GridSearchCV(
        untrained(),
        {
            "terms__words__min_df": [1, 2],
            "terms__pairs__min_df": [2, 3],
            "classifier__C": [1, 3, 10, 30],
        },
        cv=StratifiedKFold(5, shuffle=True, random_state=SEED),
    )
    search.fit(tokenize(train), train_targets)
    print(f"chosen {search.best_params_}, cross-validated accuracy {search.best_score_:.4f}")
    pipeline = search.best_estimator_
    model = export(pipeline)

    session = open_session(model)
    prove_the_same(session, pipeline, test + EDGE_CASES)

    heldout = [
        {"input": text, "label": LABELS[target]} for text, target in zip(test, test_targets)
    ]
    write_package(
        args.out,
        model,
        to_tensor,
        heldout,
        examples=[
            "The food was great and the staff were friendly.",
            "Terrible battery, do not waste your money.",
            "It isn’t worth the price 👎",
            "The plot is slow, but I loved the acting.",
        ],
        dataset="Sentiment Labelled Sentences (UCI), 600 held-out sentences, stratified",
        name="sentiment",
        version=VERSION,
        task="text-classification",
        description="Tells whether an English sentence from a review of a product, film or "
        "restaurant is positive or negative. TF-IDF over words and pairs of words, and logistic "
        "regression.",
        labels=LABELS,
    )


def read(path):
    """Sentences that differ for the model, in the order of the file, and their labels."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    same = {}
    for row, tokens in zip(rows, tokenize([row["text"] for row in rows])):
        # A spreadsheet left this in place of a few sentences.
        if tokens and row["text"] != "#NAME?":
            same.setdefault(tuple(tokens), []).append(row)
    kept = [found[0] for found in same.values() if len({row["label"] for row in found}) == 1]
    print(f"{len(kept)} of {len(rows)} sentences: no repeats, contradictions or empty ones")
    return [row["text"] for row in kept], [int(row["label"]) for row in kept]


def untrained():
    def terms(length):
        return TfidfVectorizer(
            tokenizer=list,
            preprocessor=list,
            token_pattern=None,
            lowercase=False,
            ngram_range=(length, length),
            norm=None,
        )

    return Pipeline(
        [
            ("terms", FeatureUnion([("words", terms(1)), ("pairs", terms(2))])),
            ("norm", Normalizer()),
            ("classifier", LogisticRegression(max_iter=1000)),
        ]
    )


def text_nodes():
    return [
        # C.UTF-8 is the locale that native and WASM runtimes lower letters alike in.
        helper.make_node(
            "StringNormalizer",
            ["text"],
            ["lowered"],
            case_change_action="LOWER",
            locale="C.UTF-8",
        ),
        helper.make_node(
            "Tokenizer",
            ["lowered"],
            ["tokens"],
            domain="com.microsoft",
            mark=0,
            mincharnum=1,
            pad_value=PADDING,
            tokenexp=TOKEN,
        ),
    ]


def text_input():
    return helper.make_tensor_value_info("text", TensorProto.STRING, ["N"])


def tokenize(texts):
    output = helper.make_tensor_value_info("tokens", TensorProto.STRING, ["N", "T"])
    model = make_model(text_nodes(), "tokenize", [text_input()], [output])
    rows = run(open_session(model), to_tensor(texts))
    return [[token for token in row if token != PADDING] for row in rows]


def export(pipeline):
    words, pairs = (vectorizer for _, vectorizer in pipeline["terms"].transformer_list)
    word_pool = [str(term) for term in words.get_feature_names_out()]
    pair_pool = [str(term).split(" ") for term in pairs.get_feature_names_out()]
    idf = np.concatenate([words.idf_, pairs.idf_])

    # softmax([-z/2, z/2]) is the logistic function of z.
    halves = np.array([[-0.5, 0.5]])
    weights = pipeline["classifier"].coef_.T @ halves
    bias = pipeline["classifier"].intercept_ @ halves

    nodes = [
        *text_nodes(),
        helper.make_node(
            "TfIdfVectorizer",
            ["tokens"],
            ["tfidf"],
            mode="TFIDF",
            min_gram_length=1,
            max_gram_length=2,
            max_skip_count=0,
            pool_strings=word_pool + [word for pair in pair_pool for word in pair],
            ngram_counts=[0, len(word_pool)],
            ngram_indexes=range(len(idf)),
            weights=idf,
        ),
        # Dividing the two sums by the length of the row, not the thousands of terms, spares
        # a copy of the widest tensor. The floor is for a row without any known term.
        helper.make_node("ReduceL2", ["tfidf"], ["length"], axes=[1], keepdims=1),
        helper.make_node("Max", ["length", "floor"], ["divisor"]),
        helper.make_node("MatMul", ["tfidf", "weights"], ["sums"]),
        helper.make_node("Div", ["sums", "divisor"], ["products"]),
        helper.make_node("Add", ["products", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    constants = {"floor": np.array(1e-6), "weights": weights, "bias": bias}
    return make_model(
        nodes,
        "sentiment",
        [text_input()],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", len(LABELS)])],
        [numpy_helper.from_array(v.astype(np.float32), k) for k, v in constants.items()],
    )


def prove_the_same(session, pipeline, texts):
    """The graph says what the pipeline says, of a sentence alone and of one among others."""
    together = run(session, to_tensor(texts))
    alone = np.concatenate([run(session, to_tensor([text])) for text in texts])
    expected = pipeline.predict_proba(tokenize(texts))
    from_pipeline = np.abs(together - expected).max()
    from_batch = np.abs(together - alone).max()
    print(f"graph and pipeline differ by {from_pipeline:.1e}, batch and single by {from_batch:.1e}")
    assert from_pipeline < 1e-5 and from_batch < 1e-6


def to_tensor(inputs):
    return np.array(inputs, dtype=object)


if __name__ == "__main__":
    main()
