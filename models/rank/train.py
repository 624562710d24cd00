"""Trains the rank model: how well the description of a product answers what somebody typed.

A small cross-encoder: it reads the query and the description together, letter by letter. Convolutions give each letter
its neighbours, each letter of one text then attends to those of the other (Parikh et al., "A Decomposable Attention
Model", 2016), and what matches and what is left over makes the score.

Nobody has judged pairs of this shop, so the pairs are made: a query is a description with words left out, reordered and
misspelt, and the right products are all those that have every word that was left.
"""

import random
import re
import sys
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from tokenizers import Tokenizer, normalizers

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from network import Neighbours, descend, linear, linear_weights, start_alike, tensor, timed
from package import as_metrics, arguments, make_model, open_session, shortest, write_files
from pieces import learn_pieces, make_tokenizer, tokenizer_file
from search.train import HELD_OUT, column, half_remember, mistype, vector

VERSION = "1"
SEED = 0
NORMALIZER = normalizers.BertNormalizer()
MAX_LENGTH = 192
SIZE = 48
STEPS = 1500
QUERIES = 40
CANDIDATES = 8
RATE = 2e-3
TOP = 10
# A query that more products answer is too vague to be judged by ten.
MOST_RIGHT = 5
DATASET = (
    "Online Retail (UCI): {} queries that train.py made from descriptions that were not trained on, by leaving out, "
    "reordering and misspelling words; ten products each, right are those with all the words that were left"
)


def main():
    args = arguments(
        __file__,
        sentences="sentences.csv, with the column text",
        products="products.csv, with the column description",
        search="folder of the search model's version, for the baseline and for products that are hard to tell apart",
    )
    # The same half as the search model's: neither has seen the products that both are judged by.
    choose = random.Random(SEED)
    products = column(args.products, "description")
    choose.shuffle(products)
    unseen, seen = products[:HELD_OUT], products[HELD_OUT:]
    sentences = column(args.sentences, "text")

    start_alike(SEED)
    # Letters alone: a letter that was left out, added or changed leaves the others as they are.
    tokenizer = make_tokenizer(learn_pieces(seen + sentences, NORMALIZER, 0), NORMALIZER)
    tokenizer.enable_truncation(MAX_LENGTH)
    tokenizer.enable_padding()
    network = CrossEncoder(tokenizer.get_vocab_size())
    titles = Titles(seen, sentences, choose)
    descend(network, lambda _: loss_of(network, tokenizer, titles, choose), STEPS, RATE)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    model = network.export()
    session = open_session(model)
    prove_the_same(session, network, tokenizer, products)

    nearest = {
        "bm25": bm25(products),
        "trigrams": trigrams(products),
        "search": by_search(Path(args.search), products),
    }
    heldout = make_heldout(unseen, products, nearest, choose)
    places = {text: place for place, text in enumerate(products)}

    def ranker_by(of):
        return lambda query, texts: of(query)[[places[text] for text in texts]]

    rankers = {"": lambda query, texts: score(session, tokenizer, query, texts)}
    baselines = {**nearest, "edit_distance": edit_distance(products)}
    rankers |= {f"_of_{name}": ranker_by(of) for name, of in baselines.items()}
    measured = {}
    for suffix, ranker in rankers.items():
        measured |= {f"{name}{suffix}": value for name, value in quality(ranker, heldout).items()}
        # The ten were chosen by what is near by the baselines. All products were not.
        among_all_products = [with_all(line, products, places) for line in heldout]
        with timed(f"all products for {len(heldout)} queries"):
            among_all = quality(ranker, among_all_products)
        print(*(f"{name}{suffix} among all products {value:.4f}" for name, value in among_all.items()), sep=", ")

    examples = [
        {
            "query": "lunchbag red retro spot",
            "texts": ["JUMBO BAG RED RETROSPOT", "LUNCH BAG RED RETROSPOT", "LUNCH BAG  BLACK SKULL."],
        },
        {"query": "hart tlight holder", "texts": ["WHITE HANGING HEART T-LIGHT HOLDER", "REGENCY CAKESTAND 3 TIER"]},
        {"query": "Wäscheklammern 🧺", "texts": ["TEA TIME PARTY BUNTING", ""]},
    ]
    write_files(
        args.out,
        model,
        heldout,
        [(given, answer(session, tokenizer, given)) for given in examples],
        as_metrics(measured, DATASET.format(len(heldout)), len(heldout)),
        assets={"tokenizer.json": tokenizer_file(tokenizer)},
        name="rank",
        version=VERSION,
        task="text-ranking",
        description="Ranks the products of a shop for gifts by how well their descriptions answer a query, also one "
        "with misspelt, missing and reordered words. A small cross-encoder over letters. It compares spellings; it does "
        "not know that a mug is a cup.",
        text={"tokenizer": "tokenizer.json", "maxLength": MAX_LENGTH},
        ranking={"output": "logits"},
    )


class CrossEncoder(torch.nn.Module):
    def __init__(self, letters):
        super().__init__()
        self.table = torch.nn.Embedding(letters, SIZE)
        self.neighbours = Neighbours(SIZE, width=5, dilations=[1, 1])
        # At first each letter attends to those that are most like it.
        self.alike = torch.nn.Parameter(torch.eye(SIZE))
        self.compare = torch.nn.Linear(3 * SIZE, SIZE)
        self.hidden = torch.nn.Linear(4 * SIZE, SIZE)
        self.score = torch.nn.Linear(SIZE, 1)

    def forward(self, ids, mask, types):
        column = mask.float()[:, :, None]
        vectors = self.neighbours(self.table(ids) * column, column)
        second = types.float()[:, :, None] * column
        first = column - second
        # 1 where a letter of one text meets one of the other.
        meets = first @ second.transpose(1, 2) + second @ first.transpose(1, 2)
        likeness = vectors @ self.alike @ vectors.transpose(1, 2) + (meets - 1) * 1e4
        other = torch.softmax(likeness, 2) @ vectors
        found = torch.relu(self.compare(torch.cat([vectors, other, vectors * other], 2)))
        sides = []
        for side in (first, second):
            kept = found * side
            sides += [kept.sum(1) / side.sum(1), kept.amax(1)]
        return self.score(torch.relu(self.hidden(torch.cat(sides, 1))))

    def export(self):
        """The same as an ONNX model, written out so that it is the same file each time."""
        around, weights = self.neighbours.nodes("letters", "column", "vectors")
        node = helper.make_node
        turn = {"perm": [0, 2, 1]}
        nodes = [
            node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            node("Cast", ["token_type_ids"], ["types"], to=TensorProto.FLOAT),
            node("Unsqueeze", ["mask", "last"], ["column"]),
            node("Unsqueeze", ["types", "last"], ["type_column"]),
            node("Mul", ["type_column", "column"], ["second"]),
            node("Sub", ["column", "second"], ["first"]),
            node("Gather", ["table", "input_ids"], ["rows"]),
            node("Mul", ["rows", "column"], ["letters"]),
            *around,
            node("Transpose", ["first"], ["first_row"], **turn),
            node("Transpose", ["second"], ["second_row"], **turn),
            node("MatMul", ["first", "second_row"], ["forth"]),
            node("MatMul", ["second", "first_row"], ["back"]),
            node("Add", ["forth", "back"], ["meets"]),
            node("Sub", ["meets", "one"], ["apart"]),
            node("Mul", ["apart", "far"], ["bar"]),
            node("MatMul", ["vectors", "alike"], ["asked"]),
            node("Transpose", ["vectors"], ["turned"], **turn),
            node("MatMul", ["asked", "turned"], ["likeness"]),
            node("Add", ["likeness", "bar"], ["open"]),
            node("Softmax", ["open"], ["attention"], axis=2),
            node("MatMul", ["attention", "vectors"], ["other"]),
            node("Mul", ["vectors", "other"], ["both"]),
            node("Concat", ["vectors", "other", "both"], ["pairs"], axis=2),
            *linear("compare", "pairs", "compared"),
            node("Relu", ["compared"], ["found"]),
        ]
        for side in ("first", "second"):
            nodes += [
                node("Mul", ["found", side], [f"{side}_kept"]),
                node("ReduceSum", [f"{side}_kept", "tokens"], [f"{side}_sum"], keepdims=0),
                node("ReduceSum", [side, "tokens"], [f"{side}_count"], keepdims=0),
                node("Div", [f"{side}_sum", f"{side}_count"], [f"{side}_mean"]),
                node("ReduceMax", [f"{side}_kept"], [f"{side}_max"], axes=[1], keepdims=0),
            ]
        nodes += [
            node("Concat", ["first_mean", "first_max", "second_mean", "second_max"], ["sides"], axis=1),
            *linear("hidden", "sides", "summed"),
            node("Relu", ["summed"], ["summary"]),
            *linear("score", "summary", "logits"),
        ]
        return make_model(
            nodes,
            "rank",
            [
                helper.make_tensor_value_info(name, TensorProto.INT64, ["N", "T"])
                for name in ["input_ids", "attention_mask", "token_type_ids"]
            ],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 1])],
            [
                *weights,
                *linear_weights("compare", self.compare),
                *linear_weights("hidden", self.hidden),
                *linear_weights("score", self.score),
                tensor("table", self.table.weight),
                tensor("alike", self.alike),
                tensor("last", np.array([-1], np.int64)),
                tensor("tokens", np.array([1], np.int64)),
                tensor("one", np.array(1, np.float32)),
                tensor("far", np.array(1e4, np.float32)),
            ],
        )


class Titles:
    """Texts to train on: descriptions, and words of descriptions and sentences put together."""

    def __init__(self, products, sentences, choose):
        self.products = [product.lower() for product in products]
        self.of_products = [word for product in self.products for word in product.split()]
        of_sentences = [word for text in sentences for word in re.findall(r"[a-z]{3,}", text.lower())]
        # A word counts once: frequent ones would be met in nearly all pairs.
        self.of_sentences = sorted(set(of_sentences))
        self.choose = choose

    def word(self):
        return self.choose.choice(self.choose.choice([self.of_products, self.of_sentences]))

    def one(self):
        if self.choose.random() < 0.4:
            return self.choose.choice(self.products)
        return " ".join(self.word() for _ in range(self.choose.randint(2, 6)))

    def like(self, title, kept):
        """A title that is hard to tell from this one, and lacks a word of the query at least."""
        choose = self.choose
        words = title.split()
        for _ in range(choose.choice([1, 1, 2])):
            words[choose.randrange(len(words))] = self.word()
        if set(kept) <= set(words):
            lost = words.index(choose.choice(kept))
            words[lost] = self.word()
        choose.shuffle(words)
        return " ".join(words)


def loss_of(network, tokenizer, titles, choose):
    """Of queries with one right title each: which of them it is, and for each one whether it is right."""
    pairs = []
    for _ in range(QUERIES):
        title = titles.one()
        kept = half_remember(title, choose)
        query = mistype(kept, choose)
        others = [
            titles.like(title, kept) if choose.random() < 0.6 else titles.one()
            for _ in range(CANDIDATES - 1)
        ]
        others = [other if not set(kept) <= set(other.split()) else titles.word() for other in others]
        pairs += [(query, text) for text in [title, *others]]
    encodings = tokenizer.encode_batch(pairs)
    logits = network(*(
        torch.tensor([getattr(encoding, name) for encoding in encodings])
        for name in ("ids", "attention_mask", "type_ids")
    )).view(QUERIES, CANDIDATES)
    right = torch.zeros(QUERIES, CANDIDATES)
    right[:, 0] = 1
    which = torch.nn.functional.cross_entropy(logits, torch.zeros(QUERIES, dtype=torch.long))
    return which + torch.nn.functional.binary_cross_entropy_with_logits(logits, right)


def make_heldout(unseen, products, nearest, choose):
    """Queries with ten products each: those that are right, and the nearest others by the baselines in turn."""
    lines = []
    words_of = [set(product.lower().split()) for product in products]
    for product in unseen:
        kept = half_remember(product, choose)
        right = [place for place, words in enumerate(words_of) if set(kept) <= words]
        if len(right) > MOST_RIGHT:
            continue
        query = mistype(kept, choose)
        orders = [np.argsort(-of(query), kind="stable") for of in nearest.values()]
        near = [place for places in zip(*orders) for place in places]
        chosen = list(dict.fromkeys(right + near))[:TOP]
        choose.shuffle(chosen)
        lines.append({
            "input": {"query": query, "texts": [products[place] for place in chosen]},
            "label": sorted(chosen.index(place) for place in right),
        })
    return lines


def with_all(line, products, places):
    """The same query with every product."""
    texts = line["input"]["texts"]
    right = [places[texts[place]] for place in line["label"]]
    return {"input": {"query": line["input"]["query"], "texts": products}, "label": right}


def bm25(products, k1=1.2, b=0.75):
    """Okapi BM25 over words."""
    counter = CountVectorizer(token_pattern=r"[a-z0-9]+")
    counts = counter.fit_transform(products).toarray()
    having = (counts > 0).sum(axis=0)
    rarity = np.log(1 + (len(products) - having + 0.5) / (having + 0.5))
    lengths = counts.sum(axis=1, keepdims=True)
    weights = rarity * counts * (k1 + 1) / (counts + k1 * (1 - b + b * lengths / lengths.mean()))
    return lambda query: weights @ counter.transform([query]).toarray()[0]


def trigrams(products):
    """The cosine of TF-IDF over three letters at a time."""
    grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3)).fit(products)
    rows = grams.transform(products)
    return lambda query: (rows @ grams.transform([query]).T).toarray()[:, 0]


def edit_distance(products):
    """The sum, over the query's words, of how like the most alike word of the description is. Short descriptions first."""
    words_of = [product.lower().split() for product in products]

    @cache
    def likeness(one, other):
        return 1 - edits(one, other) / max(len(one), len(other))

    def like(query, words):
        return sum(max(likeness(one, word) for word in words) for one in query.lower().split()) - 0.001 * len(words)

    return lambda query: np.array([like(query, words) for words in words_of])


def edits(one, other):
    """How many letters to add, leave out or change (Levenshtein)."""
    above = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        line = [row]
        for place, found in enumerate(other, 1):
            line.append(min(above[place] + 1, line[-1] + 1, above[place - 1] + (letter != found)))
        above = line
    return above[-1]


def by_search(folder, products):
    """The cosine of the search model's vectors."""
    session = open_session(onnx.load(folder / "model.onnx"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    rows = np.stack([vector(session, tokenizer, product) for product in products])
    return lambda query: rows @ vector(session, tokenizer, query)


def quality(ranker, lines):
    """As `nearcast eval` measures it."""
    gains, reciprocals = [], []
    for line in lines:
        order = np.argsort(-ranker(line["input"]["query"], line["input"]["texts"]), kind="stable")
        hits = np.isin(order, line["label"])[:TOP]
        discounts = 1 / np.log2(np.arange(TOP) + 2)
        gains.append((hits * discounts[: len(hits)]).sum() / discounts[: len(line["label"])].sum())
        reciprocals.append(1 / (hits.argmax() + 1))
    return {"ndcg_at_10": np.mean(gains), "mrr_at_10": np.mean(reciprocals)}


def score(session, tokenizer, query, texts):
    """The graph's numbers for the query with each text, as the server asks for them."""
    tokenizer.enable_truncation(MAX_LENGTH)
    tokenizer.enable_padding()
    encodings = tokenizer.encode_batch([(query, text) for text in texts])
    tokenizer.no_truncation()
    tokenizer.no_padding()
    feeds = {
        "input_ids": np.array([one.ids for one in encodings], np.int64),
        "attention_mask": np.array([one.attention_mask for one in encodings], np.int64),
        "token_type_ids": np.array([one.type_ids for one in encodings], np.int64),
    }
    return session.run(None, feeds)[0][:, 0]


def prove_the_same(session, network, tokenizer, products):
    """The graph says what the network says, of a pair alone and of one among others."""
    texts = [*products[:50], "", "a" * 500]
    for query in ["red bag", "", "👍 这个", "lunch bag " * 50]:
        together = score(session, tokenizer, query, texts)
        alone = np.concatenate([score(session, tokenizer, query, [text]) for text in texts])
        tokenizer.enable_truncation(MAX_LENGTH)
        encodings = [tokenizer.encode(query, text) for text in texts]
        tokenizer.no_truncation()
        with torch.no_grad():
            expected = [
                network(*(torch.tensor([values]) for values in (one.ids, one.attention_mask, one.type_ids))).item()
                for one in encodings
            ]
        assert np.abs(alone - expected).max() < 1e-4, np.abs(alone - expected).max()
        assert np.abs(alone - together).max() < 1e-4, np.abs(alone - together).max()


def answer(session, tokenizer, given):
    scores = 1 / (1 + np.exp(-score(session, tokenizer, given["query"], given["texts"]).astype(np.float64)))
    order = np.argsort(-scores, kind="stable")
    return [{"index": int(place), "score": shortest(scores[place])} for place in order]


if __name__ == "__main__":
    main()
