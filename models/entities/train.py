"""Trains the entities model: persons, places, products, quantities, amounts and dates in order messages.

Convolutions over word pieces (Strubell et al., "Fast and Accurate Entity Recognition with Iterated Dilated
Convolutions", 2017). The messages are written by messages.py; nobody ever sent them.
"""

import random
import re
import sys
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from onnx import TensorProto, helper
from seqeval.metrics import classification_report, f1_score, precision_score, recall_score
from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import SGDClassifier
from tokenizers import normalizers

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from entities.messages import LABELS, MONTHS, DAYS, NUMBERS, Writer
from network import Neighbours, descend, linear, linear_weights, start_alike, tensor, timed
from package import as_metrics, arguments, make_model, open_session, shortest, write_files
from pieces import SPECIAL, in_capitals_too, learn_pieces, make_tokenizer, tokenizer_file
from search.train import HELD_OUT as UNSEEN, column

VERSION = "1"
SEED = 0
# Capitals say much about names.
NORMALIZER = normalizers.BertNormalizer(lowercase=False)
# In lower case.
PIECES = 800
MAX_LENGTH = 256
SIZE = 64
MESSAGES = 12000
HELD_OUT = 400
STEPS = 2400
BATCH = 64
RATE = 3e-3
# How many words are hidden in training, so that those around them have to tell.
HIDDEN = 0.1
DROPPED = 0.2
CHECKED = 50
NUMBER_OR_NAME = re.compile(rf"[\d$£€#]|[a-z,;] [A-HJ-Z]|\b(?:{'|'.join(NUMBERS)})\b", re.ASCII)
TAGS = ["O", *(f"{place}-{label}" for label in LABELS for place in "BI")]
TO_TAGS = torch.tensor([[float(tag.partition("-")[2] == label) for tag in TAGS] for label in ["", *LABELS]])
IS_BEGIN, IS_INSIDE = (torch.tensor([float(tag[0] == place) for tag in TAGS]) for place in "BI")
NEVER = 100
LOOKS = 6
DATASET = (
    "400 order messages that messages.py wrote; their sentences, persons, cities and products are in no message "
    "that was trained on"
)


def main():
    args = arguments(
        __file__,
        products="products.csv, with the column description",
        sentences="sentences.csv, with the column text: words without an entity",
    )
    choose = random.Random(SEED)
    products = column(args.products, "description")
    choose.shuffle(products)
    unseen, checked, seen = products[:UNSEEN], products[UNSEEN : UNSEEN + CHECKED], products[UNSEEN + CHECKED :]
    plain = [text for text in column(args.sentences, "text") if not NUMBER_OR_NAME.search(text)]
    words = sorted({word for text in plain for word in re.findall(r"[a-z]+", text.lower())})
    start_alike(SEED)
    train = write(Writer("train", seen, choose, words, splices=True), plain)
    check, test = (
        [writer.write() for _ in range(HELD_OUT)]
        for writer in (
            Writer("check", checked, random.Random(SEED)),
            Writer("heldout", unseen, random.Random(SEED)),
        )
    )

    pieces = in_capitals_too(learn_pieces([text.lower() for text, _ in train], NORMALIZER, PIECES))
    tokenizer = make_tokenizer(pieces, NORMALIZER)
    network = Tagger(pieces)
    encoded = [encode(tokenizer, text, entities) for text, entities in train]
    with timed("the network's training"):
        descend(network, lambda _: loss_of(network, choose.sample(encoded, BATCH)), STEPS, RATE)
    model = network.export()
    session = open_session(model)
    prove_the_same(session, network, tokenizer, [text for text, _ in test[:50]])

    # Sentences put together from two make the linear tagger worse.
    unspliced = write(Writer("train", seen, random.Random(SEED), words), plain)
    with timed("the linear tagger's training"):
        tagger = LinearTagger(unspliced, seen)
    baselines = {"rules": Rules(train), "linear_tagger": tagger}
    with timed("the network's answers"):
        for text, _ in check:
            answer(session, tokenizer, text)
    with timed("the linear tagger's answers"):
        for text, _ in check:
            tagger.find(text)
    print("to choose by:")
    measure(session, tokenizer, baselines, check)
    print("held out:")
    measured = measure(session, tokenizer, baselines, test)
    examples = [
        "Please send 24 lunch bag red retrospot to Anna Fontana in Bergen by 3 May.",
        "I paid £12.50 on 2011-12-05, not 15 pounds.",
        "Nothing to see here 🙂",
    ]
    write_files(
        args.out,
        model,
        [{"input": text, "label": entities} for text, entities in test],
        [(text, answer(session, tokenizer, text)) for text in examples],
        as_metrics(measured, DATASET, HELD_OUT),
        assets={"tokenizer.json": tokenizer_file(tokenizer)},
        name="entities",
        version=VERSION,
        task="token-classification",
        description="Finds persons, cities, products, quantities, amounts of money and dates in English order messages "
        "to a shop for gifts. It was trained on messages that a script wrote, and real ones are more varied. It reads "
        "256 tokens; with the parameter stride all of a longer message. Scores are high also where it is wrong.",
        labels=TAGS,
        text={"tokenizer": "tokenizer.json", "maxLength": MAX_LENGTH},
        entities={"output": "logits"},
    )


def write(writer, plain):
    return [add_plain(*writer.write(), plain, writer.choose) for _ in range(MESSAGES)]


def add_plain(text, entities, plain, choose):
    """Puts a sentence of a review before or behind some messages: most of what people write is no entity."""
    place = choose.random()
    if place < 0.25:
        return f"{text} {choose.choice(plain)}", entities
    if place < 0.5:
        before = choose.choice(plain) + " "
        moved = [{**one, "start": one["start"] + len(before), "end": one["end"] + len(before)} for one in entities]
        return before + text, moved
    return text, entities


class Tagger(torch.nn.Module):
    """Convolutions over pieces, then over words, whose vectors are the mean of their pieces: a word has one label."""

    def __init__(self, pieces):
        super().__init__()
        lower = [piece if piece in SPECIAL else piece.lower() for piece in pieces]
        place = {piece: number for number, piece in enumerate(dict.fromkeys(lower))}
        self.lower = torch.tensor([place[piece] for piece in lower])
        self.look = torch.tensor([look_of(piece) for piece in pieces])
        self.table = torch.nn.Embedding(len(place), SIZE)
        self.looks = torch.nn.Embedding(LOOKS, SIZE)
        self.continues = torch.tensor([float(piece.startswith("##")) for piece in pieces])
        self.within = Neighbours(SIZE, width=3, dilations=[1, 1])
        self.around = Neighbours(SIZE, width=3, dilations=[1, 2, 4, 8])
        # A number for O and each label, and one for whether an entity begins here.
        self.labels = torch.nn.Linear(SIZE, 1 + len(LABELS))
        self.begins = torch.nn.Linear(SIZE, 1)

    def forward(self, ids, mask):
        column = mask.float()[:, :, None]
        continues = self.continues[ids]
        # Which pieces [N, word, piece] a word has.
        word = (1 - continues).cumsum(1)
        place = torch.ones_like(word).cumsum(1)
        has = (place[:, :, None] == word[:, None, :]).float() * column.transpose(1, 2)
        count = has.sum(2, keepdim=True)
        known = has.transpose(1, 2) @ torch.nn.functional.dropout(torch.ones_like(column), HIDDEN, self.training)
        pieces = (self.table(self.lower[ids]) * known + self.looks(self.look[ids])) * column
        words = (has / count.clamp(min=1)) @ self.within(pieces, column)
        words = torch.nn.functional.dropout(words, DROPPED, self.training)
        vectors = has.transpose(1, 2) @ self.around(words, count.clamp(max=1))
        begins = self.begins(vectors)
        # The first piece of a word may begin an entity, the others go on.
        first, later = (1 - continues)[:, :, None], continues[:, :, None]
        softplus = torch.nn.functional.softplus
        return (
            self.labels(vectors) @ TO_TAGS
            - (softplus(-begins) * first + NEVER * later) * IS_BEGIN
            - softplus(begins) * first * IS_INSIDE
        )

    def export(self):
        node = helper.make_node
        within, within_weights = self.within.nodes("pieces", "column", "near")
        around, around_weights = self.around.nodes("words", "is_word", "far")
        return make_model(
            [
                node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
                node("Unsqueeze", ["mask", "last"], ["column"]),
                node("Unsqueeze", ["mask", "middle"], ["row"]),
                node("Gather", ["table", "input_ids"], ["rows"]),
                node("Mul", ["rows", "column"], ["pieces"]),
                node("Gather", ["continues", "input_ids"], ["continued"]),
                node("Unsqueeze", ["continued", "last"], ["later"]),
                node("Sub", ["one", "continued"], ["starts"]),
                node("Unsqueeze", ["starts", "last"], ["first"]),
                node("CumSum", ["starts", "axis"], ["word"]),
                node("Unsqueeze", ["word", "middle"], ["word_row"]),
                node("Add", ["starts", "continued"], ["ones"]),
                node("CumSum", ["ones", "axis"], ["place"]),
                node("Unsqueeze", ["place", "last"], ["place_column"]),
                node("Equal", ["place_column", "word_row"], ["is_in"]),
                node("Cast", ["is_in"], ["has_or_padding"], to=TensorProto.FLOAT),
                node("Mul", ["has_or_padding", "row"], ["has"]),
                node("Transpose", ["has"], ["is_of"], perm=[0, 2, 1]),
                node("ReduceSum", ["has", "last"], ["count"]),
                node("Max", ["count", "one"], ["divisor"]),
                node("Min", ["count", "one"], ["is_word"]),
                node("Div", ["has", "divisor"], ["share"]),
                *within,
                node("MatMul", ["share", "near"], ["words"]),
                *around,
                node("MatMul", ["is_of", "far"], ["vectors"]),
                *linear("labels", "vectors", "by_label"),
                *linear("begins", "vectors", "beginning"),
                node("MatMul", ["by_label", "to_tags"], ["by_tag"]),
                node("Neg", ["beginning"], ["going_on"]),
                node("Softplus", ["going_on"], ["not_begin"]),
                node("Softplus", ["beginning"], ["not_inside"]),
                node("Mul", ["not_begin", "first"], ["first_begin"]),
                node("Mul", ["later", "never"], ["later_begin"]),
                node("Add", ["first_begin", "later_begin"], ["begin"]),
                node("Mul", ["begin", "is_begin"], ["less_begin"]),
                node("Mul", ["not_inside", "first"], ["inside"]),
                node("Mul", ["inside", "is_inside"], ["less_inside"]),
                node("Sub", ["by_tag", "less_begin"], ["with_begin"]),
                node("Sub", ["with_begin", "less_inside"], ["logits"]),
            ],
            "entities",
            [
                helper.make_tensor_value_info(name, TensorProto.INT64, ["N", "T"])
                for name in ["input_ids", "attention_mask"]
            ],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", "T", len(TAGS)])],
            [
                *within_weights,
                *around_weights,
                *linear_weights("labels", self.labels),
                *linear_weights("begins", self.begins),
                tensor("table", self.table(self.lower) + self.looks(self.look)),
                tensor("continues", self.continues),
                tensor("to_tags", TO_TAGS),
                tensor("is_begin", IS_BEGIN),
                tensor("is_inside", IS_INSIDE),
                tensor("never", np.array(NEVER, np.float32)),
                tensor("one", np.array(1, np.float32)),
                tensor("last", np.array([2], np.int64)),
                tensor("middle", np.array([1], np.int64)),
                tensor("axis", np.array(1, np.int64)),
            ],
        )


def look_of(piece):
    """Capitals are a matter of the piece's look, and the rest of the piece is the same without them."""
    letters = piece.removeprefix("##")
    if piece in SPECIAL:
        return 0
    if letters.isdigit():
        return 1
    if not any(letter.isalpha() for letter in letters):
        return 2
    if letters.islower():
        return 3
    return 4 if letters.isupper() else 5


def measure(session, tokenizer, baselines, messages):
    truth = [tags_of(tokenizer.encode(text), entities) for text, entities in messages]
    found = [[TAGS[tag] for tag in scores(session, tokenizer, text).argmax(axis=1)] for text, _ in messages]
    measured = {
        "f1": f1_score(truth, found),
        "precision": precision_score(truth, found),
        "recall": recall_score(truth, found),
    }
    print(classification_report(truth, found, digits=3, zero_division=0))
    for name, baseline in baselines.items():
        tags = [tags_of(tokenizer.encode(text), baseline.find(text)) for text, _ in messages]
        print(name, classification_report(truth, tags, digits=3, zero_division=0))
        measured[f"f1_of_{name}"] = f1_score(truth, tags)
    return measured


def tags_of(encoding, entities):
    """A tag for each token but the special ones around the text."""
    tags = []
    for start, end in encoding.offsets[1:-1]:
        own = next((one for one in entities if one["start"] <= start < one["end"]), None)
        place = "B" if own and start == own["start"] else "I"
        tags.append(f"{place}-{own['entity_group']}" if own else "O")
    return tags


def encode(tokenizer, text, entities):
    encoding = tokenizer.encode(text)
    return encoding.ids, [0, *(TAGS.index(tag) for tag in tags_of(encoding, entities)), 0]


def loss_of(network, rows):
    longest = max(len(ids) for ids, _ in rows)
    ids, tags = (
        torch.tensor([values + [0] * (longest - len(values)) for values in column]) for column in zip(*rows)
    )
    mask = torch.tensor([[1] * len(one) + [0] * (longest - len(one)) for one, _ in rows])
    losses = torch.nn.functional.cross_entropy(network(ids, mask).transpose(1, 2), tags, reduction="none")
    return (losses * mask).sum() / mask.sum()


def scores(session, tokenizer, text):
    """The graph's numbers [tokens, tags] without the special tokens."""
    encoding = tokenizer.encode(text)
    feeds = {
        "input_ids": np.array([encoding.ids], np.int64),
        "attention_mask": np.array([encoding.attention_mask], np.int64),
    }
    return session.run(None, feeds)[0][0, 1:-1]


def prove_the_same(session, network, tokenizer, texts):
    """The graph says what the network says, of a text alone and of one among others."""
    encodings = [tokenizer.encode(text) for text in [*texts, "", "👍 这个"]]
    longest = max(len(one.ids) for one in encodings)
    ids, mask = (
        np.array([values + [0] * (longest - len(values)) for values in column], np.int64)
        for column in zip(*((one.ids, one.attention_mask) for one in encodings))
    )
    together = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
    for row, one in enumerate(encodings):
        with torch.no_grad():
            alone = network(torch.tensor([one.ids]), torch.tensor([one.attention_mask]))[0].numpy()
        difference = np.abs(together[row, : len(one.ids)] - alone).max()
        assert difference < 1e-4, f"the export differs by {difference}"


class Rules:
    """A baseline: regular expressions for numbers, and a dictionary of the names that were trained on."""

    def __init__(self, messages):
        names = {}
        for text, entities in messages:
            for one in entities:
                if one["entity_group"] in ("PERSON", "CITY", "PRODUCT"):
                    names[text[one["start"] : one["end"]].lower()] = one["entity_group"]
        self.names = names
        month = f"(?:{'|'.join(f'{name}|{name[:3]}' for name in MONTHS)})"
        day = r"\d{1,2}(?:st|nd|rd|th)?"
        week = f"(?:{'|'.join(DAYS)})"
        self.patterns = [(label, re.compile(pattern, re.IGNORECASE)) for label, pattern in {
            "AMOUNT": r"[£€$]\d[\d,]*(?:\.\d+)?|EUR \d+(?:\.\d+)?|\d+(?:\.\d+)? (?:GBP|pounds|euros)",
            "DATE": rf"{week} {day} {month}\b|(?:the )?{day} (?:of )?{month}\b(?: \d{{4}})?|{month} {day}(?:, \d{{4}})?|"
            rf"\d{{4}}-\d\d-\d\d|\d\d/\d\d/\d{{4}}|\d{{1,2}}\.\d{{1,2}}\.\d{{4}}|(?:next )?{week}|tomorrow",
            "NAME": "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)),
            "QUANTITY": rf"\d+(?: pcs| pairs)?|a dozen|{'|'.join(NUMBERS)}",
        }.items()]

    def find(self, text):
        """The first rule that fits wins, whole words only."""
        found = []
        for label, pattern in self.patterns:
            for match in pattern.finditer(text):
                start, end = match.span()
                inside = text[max(0, start - 1) : start].isalnum() or text[end : end + 1].isalnum()
                if inside or any(start < one["end"] and one["start"] < end for one in found):
                    continue
                group = self.names[match[0].lower()] if label == "NAME" else label
                found.append({"entity_group": group, "start": start, "end": end})
        return found


class LinearTagger:
    """A baseline: logistic regression on a word and the four words to each side of it."""

    def __init__(self, messages, products):
        self.of_products = {word for product in products for word in product.lower().split()}
        self.hasher = FeatureHasher(input_type="string")
        texts = [words_of(text) for text, _ in messages]
        rows = (self.about(words, place) for words in texts for place in range(len(words)))
        tags = []
        for words, (_, entities) in zip(texts, messages):
            for _, start, _ in words:
                own = next((one for one in entities if one["start"] <= start < one["end"]), None)
                tags.append(f"{'B' if start == own['start'] else 'I'}-{own['entity_group']}" if own else "O")
        self.model = SGDClassifier(loss="log_loss", alpha=2e-6, max_iter=12, tol=None, random_state=SEED)
        self.model.fit(self.hasher.transform(rows), tags)

    def about(self, words, place):
        """Words, their shapes, beginnings and ends, whether products have them, and pairs of neighbours."""

        def at(offset):
            return words[place + offset][0] if 0 <= place + offset < len(words) else ""

        features = []
        for offset in range(-4, 5):
            word = at(offset)
            low = word.lower()
            features += [f"{offset} word {low}", f"{offset} shape {shape_of(word)}"]
            if abs(offset) <= 2:
                features += [
                    f"{offset} begins {low[:2]}",
                    f"{offset} ends {low[-3:]}",
                    f"{offset} product {low in self.of_products}",
                ]
        for offset in range(-2, 2):
            pair = at(offset), at(offset + 1)
            features.append(f"{offset} words {' '.join(pair).lower()}")
            features.append(f"{offset} shapes {' '.join(map(shape_of, pair))}")
        return features

    def find(self, text):
        words = words_of(text)
        tags = self.model.predict(self.hasher.transform(self.about(words, place) for place in range(len(words))))
        found = []
        inside = ""
        for (_, start, end), tag in zip(words, tags):
            place, _, label = tag.partition("-")
            if place == "I" and label == inside:
                found[-1]["end"] = end
            elif label:
                found.append({"entity_group": label, "start": start, "end": end})
            inside = label
        return found


def words_of(text):
    return [(match[0], *match.span()) for match in re.finditer(r"\w+|[^\w\s]", text)]


def shape_of(word):
    """Aa for Anna, 0 for 12: runs of one kind count once."""
    kinds = ("A" if one.isupper() else "a" if one.islower() else "0" if one.isdigit() else one for one in word)
    return "".join(kind for kind, _ in groupby(kinds))


def answer(session, tokenizer, text):
    """As the server answers with the aggregation `simple`: neighbours of one label are joined."""
    encoding = tokenizer.encode(text)
    exps = np.exp(scores(session, tokenizer, text).astype(np.float64))
    probabilities = exps / exps.sum(axis=1, keepdims=True)
    groups = []
    for (start, end), token, row in zip(encoding.offsets[1:-1], encoding.tokens[1:-1], probabilities):
        place, _, label = TAGS[int(row.argmax())].partition("-")
        if groups and place != "B" and groups[-1]["label"] == label:
            groups[-1]["end"] = end
        else:
            groups.append({"label": label, "start": start, "end": end, "tokens": [], "scores": []})
        groups[-1]["tokens"].append(token)
        groups[-1]["scores"].append(row.max())
    return [
        {
            "entity_group": group["label"],
            "score": shortest(np.mean(group["scores"])),
            "word": tokenizer.decoder.decode(group["tokens"]),
            "start": group["start"],
            "end": group["end"],
        }
        for group in groups
        if group["label"]
    ]


if __name__ == "__main__":
    main()
