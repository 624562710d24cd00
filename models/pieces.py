"""WordPiece tokenizers whose pieces are learned here, in the same order each time.

The library's own trainer numbers its pieces in the order of a hash table, another one in each run.
"""

from collections import Counter

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
PRE_TOKENIZER = pre_tokenizers.BertPreTokenizer()


def learn_pieces(texts, normalizer, size):
    """The characters of the texts, and what their most frequent neighbours make, joined again and again.

    A list of at least the special tokens and the characters, whose first ones are the pieces of a smaller size.
    """
    words = Counter(
        word
        for text in texts
        for word, _ in PRE_TOKENIZER.pre_tokenize_str(normalizer.normalize_str(text))
    )
    parts = {word: [word[0], *(f"##{letter}" for letter in word[1:])] for word in words}
    letters = sorted({part for split in parts.values() for part in split})
    joined = []
    while len(letters) + len(joined) < size:
        pairs = Counter()
        for word, split in parts.items():
            for pair in zip(split, split[1:]):
                pairs[pair] += words[word]
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        piece = best[0] + best[1].removeprefix("##")
        joined.append(piece)
        for split in parts.values():
            for at in range(len(split) - 2, -1, -1):
                if (split[at], *split[at + 1 : at + 2]) == best:
                    split[at : at + 2] = [piece]
    return SPECIAL + letters + joined


def in_capitals_too(pieces):
    """Pieces of lower case, then these with a capital and in capitals: case does not change where a word is split."""
    known = dict.fromkeys(pieces)
    for piece in pieces[len(SPECIAL) :]:
        mark, letters = ("##", piece[2:]) if piece.startswith("##") else ("", piece)
        for other in [letters.upper()] if mark else [letters.capitalize(), letters.upper()]:
            # Some letters have no capital of one character.
            if other.lower() == letters:
                known[mark + other] = None
    return list(known)


def make_tokenizer(pieces, normalizer):
    tokenizer = Tokenizer(models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = PRE_TOKENIZER
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in ["[CLS]", "[SEP]"]],
    )
    return tokenizer


def tokenizer_file(tokenizer):
    return (tokenizer.to_str(pretty=False) + "\n").encode()
