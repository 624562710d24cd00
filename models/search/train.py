"""Trains the search model: vectors of short English texts, near each other when they share word parts.

Latent semantic analysis over the word pieces of a small WordPiece tokenizer: a piece's vector is its row
of the truncated SVD, times its inverse document frequency. A text's vector is the mean of its pieces'.
The graph looks the pieces up; tokenizer.json and the manifest's pooling do the rest.
"""

import csv
import random
import sys
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits
from tokenizers import normalizers

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from package import as_metrics, arguments, make_model, open_session, shortest, write_files
from pieces import SPECIAL, learn_pieces, make_tokenizer, tokenizer_file

VERSION = "1"
SEED = 0
HELD_OUT = 250
MAX_LENGTH = 128
NORMALIZER = normalizers.BertNormalizer()
VOCABULARIES = [300, 400, 600]
SIZES = [128, 256]
TOP = 10
DATASET = (
    "Online Retail (UCI): 250 products that were not trained on, each found among all 500 by its "
    "description with words left out, reordered and misspelt"
)


def main():
    args = arguments(
        __file__,
        sentences="sentences.csv, with the column text",
        products="products.csv, with the column description",
    )
    choose = random.Random(SEED)
    descriptions = column(args.products, "description")
    choose.shuffle(descriptions)
    unseen, seen = descriptions[:HELD_OUT], descriptions[HELD_OUT:]
    texts = seen + column(args.sentences, "text")

    check = [(corrupt(text, choose), text) for text in seen]
    scores = {}
    for vocabulary, size in product(VOCABULARIES, SIZES):
        tokenizer, table = fit(texts, vocabulary, size)
        scores[vocabulary, size] = recall(lambda given: embed(tokenizer, table, given), check, seen)
    best = max(scores, key=scores.get)
    print(f"chosen {best[0]} pieces, {best[1]} numbers: recall {scores[best]:.3f} on seen products")
    tokenizer, table = fit(texts, *best)
    model = export(table)
    session = open_session(model)

    def vectors(given):
        return np.stack([vector(session, tokenizer, text) for text in given])

    queries = [(corrupt(text, choose), text) for text in unseen]
    heldout = [{"input": query, "label": text} for query, text in queries]
    heldout += [{"input": text} for text in seen]
    odd = ["", "👍 这个", "a" * 500, "lunch bag " * 100]
    texts_to_prove = [line["input"] for line in heldout] + odd
    difference = np.abs(vectors(texts_to_prove) - embed(tokenizer, table, texts_to_prove)).max()
    assert difference < 1e-5, f"the export differs by {difference}"

    words = TfidfVectorizer().fit(texts)
    measured = {
        "recall_at_10": recall(vectors, queries, descriptions),
        "recall_at_1": recall(vectors, queries, descriptions, top=1),
        "recall_at_10_of_tfidf_words": recall(
            lambda given: words.transform(given).toarray(), queries, descriptions
        ),
        "recall_at_1_of_tfidf_words": recall(
            lambda given: words.transform(given).toarray(), queries, descriptions, top=1
        ),
    }
    examples = ["RED RETROSPOT LUNCH BAG", "lunchbag red retro spot", "Würzige Kekse 🍪"]
    write_files(
        args.out,
        model,
        heldout,
        [(text, [shortest(number) for number in vector(session, tokenizer, text)]) for text in examples],
        as_metrics(measured, DATASET, HELD_OUT),
        assets={"tokenizer.json": tokenizer_file(tokenizer)},
        name="search",
        version=VERSION,
        task="feature-extraction",
        description="Vectors of short English texts such as product names, for search that forgives "
        "misspelt, missing and reordered words. It knows parts of words, not meanings.",
        text={
            "tokenizer": "tokenizer.json",
            "maxLength": MAX_LENGTH,
            "pooling": "mean",
            "normalize": True,
            # The directions of largest singular values come first.
            "matryoshka": True,
        },
    )


def column(path, name):
    with open(path, encoding="utf-8", newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


def corrupt(text, choose):
    """As someone types it who half remembers: one or two words gone, the rest reordered, half misspelt."""
    return mistype(half_remember(text, choose), choose)


def half_remember(text, choose):
    words = text.lower().split()
    if len(words) > 2:
        words = choose.sample(words, max(1, len(words) - choose.choice([1, 2])))
    return words


def mistype(words, choose):
    words = list(words)
    for index in choose.sample(range(len(words)), max(1, len(words) // 2)):
        words[index] = misspell(words[index], choose)
    return " ".join(words)


def misspell(word, choose):
    if len(word) < 4:
        return word
    at = choose.randrange(1, len(word) - 1)
    letter = choose.choice("abcdefghijklmnopqrstuvwxyz")
    return choose.choice([
        word[:at] + word[at + 1 :],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + letter + word[at + 1 :],
        word[:at] + letter + word[at:],
    ])


def fit(texts, vocabulary, size):
    """A tokenizer, and a vector for each of its pieces."""
    tokenizer = make_tokenizer(most_pieces(tuple(texts))[:vocabulary], NORMALIZER)
    bags = count(tokenizer, texts)
    frequency = np.log((1 + len(bags)) / (1 + (bags > 0).sum(axis=0))) + 1
    # One thread: sums in a fixed order, so the same vectors each time.
    with threadpool_limits(1):
        directions = randomized_svd(unit(bags * frequency), size, random_state=SEED)[2]
    table = frequency[:, None] * directions.T
    table[: len(SPECIAL)] = 0
    return tokenizer, table.astype(np.float32)


@lru_cache
def most_pieces(texts):
    return learn_pieces(texts, NORMALIZER, max(VOCABULARIES))


def count(tokenizer, texts):
    """How often each piece is in each text; special ones count for nothing."""
    tokenizer.enable_truncation(MAX_LENGTH)
    bags = np.zeros((len(texts), tokenizer.get_vocab_size()))
    for row, encoding in enumerate(tokenizer.encode_batch(texts)):
        np.add.at(bags[row], encoding.ids, 1)
    tokenizer.no_truncation()
    bags[:, : len(SPECIAL)] = 0
    return bags


def embed(tokenizer, table, texts):
    return unit(count(tokenizer, texts) @ table.astype(np.float64))


def unit(rows):
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths == 0, 1, lengths)


def recall(vectors, queries, candidates, top=TOP):
    """The share of queries whose text is among the nearest; a tie counts against it."""
    rows = vectors(candidates)
    found = 0
    for query, (_, text) in zip(vectors([query for query, _ in queries]), queries):
        scores = rows @ query
        found += (scores >= scores[candidates.index(text)] - 1e-9).sum() <= top
    return found / len(queries)


def vector(session, tokenizer, text):
    """As the server makes it: cut, looked up, the mean of all tokens, unit length."""
    tokenizer.enable_truncation(MAX_LENGTH)
    encoding = tokenizer.encode(text)
    tokenizer.no_truncation()
    feeds = {
        "input_ids": np.array([encoding.ids], np.int64),
        "attention_mask": np.array([encoding.attention_mask], np.int64),
    }
    return unit(session.run(None, feeds)[0].astype(np.float64).mean(axis=1))[0]


def export(table):
    tokens = ["N", "T"]
    return make_model(
        [
            helper.make_node("Gather", ["table", "input_ids"], ["vectors"]),
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
            helper.make_node("Mul", ["vectors", "column"], ["token_vectors"]),
        ],
        "search",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, tokens)
            for name in ["input_ids", "attention_mask"]
        ],
        [helper.make_tensor_value_info("token_vectors", TensorProto.FLOAT, [*tokens, table.shape[1]])],
        [
            numpy_helper.from_array(table, "table"),
            numpy_helper.from_array(np.array([-1], np.int64), "last"),
        ],
    )


if __name__ == "__main__":
    main()
