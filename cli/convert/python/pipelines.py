"""Texts and pictures to compare on, and what transformers' pipelines make of them, in the form of Nearcast's answers."""

import base64
import io
import json

import numpy as np
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoTokenizer, pipeline

from refusal import Refusal, in_short

TEXTS = [
    "The parcel came two days late, and nobody answered the phone.",
    "Great value!",
    "I would not buy this again; the handle broke after a week.",
    "Anna Berg moved from Oslo to Lisbon in 2019.",
    "no",
    "Où est la gare ? Elle est fermée jusqu'à 18 h 30.",
    "Das Gerät läuft leise, größtenteils zuverlässig.",
    "この電車は東京駅に止まりますか。",
    "Сколько стоит билет до Казани?",
    "这家餐厅的服务很好，但是价格太高。",
    "مرحبا، أين المكتبة؟",
    "Der Preis: 1.299,00 € (inkl. 19 % MwSt.)",
    "great stuff 👍🏽 would recommend 🎉",
    "İstanbul'da hava çok güzel",
    "ΑΘΗΝΑ και Θεσσαλονίκη",
    "https://example.org/a?b=1&c=2 asks for user@example.org",
    "x = [i for i in range(10)] # a list",
    "don't   stop \t here",
    "It's 3.14159, or so they say... isn't it?",
    "ALL CAPITALS ARE LOUD",
    "a long report that says the same again and again, and " * 20,
]
BATCHES = [2, 1, 3, 5, 4, 6]
# Longer texts are cut, by the export's own settings too.
MOST_TOKENS = 512
PICTURES = 6


def tokenizer_of(folder, trust):
    if not (folder / "tokenizer.json").is_file():
        raise Refusal(
            'The folder has no tokenizer.json, which the functions read. Make it where transformers is: AutoTokenizer.from_pretrained(folder).save_pretrained(folder)'
        )
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=trust)
    except Exception as error:
        raise Refusal(f"Its tokenizer cannot be loaded: {in_short(error)}") from error


def longest(tokenizer, model):
    positions = getattr(model.config, "max_position_embeddings", None) or MOST_TOKENS
    # RoBERTa and its kin count positions from 2.
    return min(MOST_TOKENS, tokenizer.model_max_length, positions - 2)


def tokens(tokenizer, model, names):
    """Batches of the texts, padded as a batch is."""
    if tokenizer.pad_token is None:
        raise Refusal("Its tokenizer has no pad_token, without which texts of other lengths cannot share a run.")
    batches = []
    start = 0
    for size in BATCHES:
        texts = TEXTS[start : start + size]
        start += size
        made = tokenizer(texts, padding=True, truncation=True, max_length=longest(tokenizer, model), return_tensors="np")
        batches.append({name: made[name].astype(np.int64) for name in names if name in made})
    return batches


def picture_reader(folder):
    try:
        return AutoImageProcessor.from_pretrained(folder, local_files_only=True, backend="pil")
    except Exception as error:
        raise Refusal(f"Its preprocessor_config.json cannot be followed: {in_short(error)}") from error


def pictures():
    """Smooth ones and rough ones, of several sizes."""
    random = np.random.default_rng(0)
    made = []
    for index in range(PICTURES):
        height, width = [(40, 60), (64, 64), (90, 50)][index % 3]
        small = Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8))
        made.append(small.resize((width, height), Image.Resampling.BICUBIC if index % 2 else Image.Resampling.NEAREST))
    return made


def pixels(processor):
    made = processor(images=pictures(), return_tensors="np")["pixel_values"].astype(np.float32)
    return [{"pixel_values": made[:2]}, {"pixel_values": made[2:3]}, {"pixel_values": made[3:]}]


def answers_of(architecture, model, reader, folder):
    """The task that these answers are of, and inputs with what the pipeline says of them. None where the tensors alone are compared."""
    if architecture.endswith("ForSequenceClassification") and model.config.num_labels > 1:
        return {"task": "text-classification", "cases": classified(model, reader, TEXTS)}
    if architecture.endswith("ForImageClassification"):
        return {"task": "image-classification", "cases": classified_pictures(model, reader)}
    if architecture.endswith("ForTokenClassification"):
        return {"task": "token-classification", "cases": entities(model, reader)}
    if architecture.endswith("ForMaskedLM"):
        return {"task": "fill-mask", "cases": filled(model, reader)}
    pooling = read(folder / "1_Pooling/config.json")
    if pooling is not None and "For" not in architecture:
        return vectors(model, reader, pooling, folder)
    return None


def scored(found):
    return {"label": found[0]["label"], "scores": {one["label"]: one["score"] for one in found}}


def classified(model, tokenizer, texts):
    ask = pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu")
    cut = {"truncation": True, "max_length": longest(tokenizer, model)}
    return [{"input": text, "answer": scored(ask(text, top_k=None, **cut))} for text in within(texts, tokenizer, model)]


def classified_pictures(model, processor):
    ask = pipeline("image-classification", model=model, image_processor=processor, device="cpu")
    cases = []
    for picture in pictures():
        file = io.BytesIO()
        picture.save(file, "PNG")
        answer = scored(ask(picture, top_k=model.config.num_labels))
        cases.append({"input": base64.b64encode(file.getvalue()).decode(), "answer": answer})
    return cases


def vectors(model, tokenizer, pooling, folder):
    """What sentence-transformers makes of the last states, where it takes their mean or the first one: scaled, then cut."""
    settings = read(folder / "sentence_bert_config.json") or {}
    prompts = read(folder / "config_sentence_transformers.json") or {}
    way = pooling.get("pooling_mode") or next((name for name in ("mean", "cls") if pooling.get(f"pooling_mode_{name}_token{'s' * (name == 'mean')}")), None)
    if way not in ("mean", "cls") or settings.get("do_lower_case") or prompts.get("default_prompt_name"):
        return None
    is_normal = any("Normalize" in one["type"] for one in read(folder / "modules.json") or [])
    cases = []
    for text in within(TEXTS, tokenizer, model, settings.get("max_seq_length")):
        with torch.no_grad():
            states = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
        vector = states.mean(0) if way == "mean" else states[0]
        whole = vector / vector.norm() if is_normal else vector
        cases.append({"input": text, "answer": whole[: prompts.get("truncate_dim")].tolist()})
    return {"task": "feature-extraction", "cases": cases}


def read(path):
    return json.loads(path.read_text()) if path.is_file() else None


def entities(model, tokenizer):
    ask = pipeline("token-classification", model=model, tokenizer=tokenizer, device="cpu", aggregation_strategy="simple")
    return [{"input": text, "answer": [plain(one) for one in ask(text)], "parameters": {"aggregation_strategy": "simple"}} for text in within(TEXTS, tokenizer, model)]


def filled(model, tokenizer):
    ask = pipeline("fill-mask", model=model, tokenizer=tokenizer, device="cpu")
    # How the text is put together again is transformers' own, and changes with its versions.
    own = ("score", "token", "token_str")
    masked = [f"{text[:80]} {tokenizer.mask_token}" for text in TEXTS]
    return [{"input": text, "answer": [{name: one[name] for name in own} for one in ask(text)]} for text in within(masked, tokenizer, model)]


def within(texts, tokenizer, model, limit=None):
    """Those that need no cutting: pipelines cut otherwise than the functions, or not at all."""
    most = min(limit or MOST_TOKENS, longest(tokenizer, model))
    return [text for text in texts if len(tokenizer(text)["input_ids"]) <= most]


def plain(answer):
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in answer.items()}
