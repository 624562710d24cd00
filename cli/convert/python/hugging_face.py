"""Exports a folder of Hugging Face with its weights to ONNX, and asks transformers for what it answers to texts and pictures."""

import json
import os
import shutil
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import torch
import transformers

import pipelines
from refusal import Refusal, in_short
from tensors import answers
from torch_models import ask_original, exported, parameters, write_onnx

# The heads of networks, as architectures of config.json end, with their outputs. Others have vectors.
HEADS = {
    "ForSequenceClassification": ["logits"],
    "ForTokenClassification": ["logits"],
    "ForQuestionAnswering": ["start_logits", "end_logits"],
    "ForMaskedLM": ["logits"],
    "ForImageClassification": ["logits"],
}
VECTORS = ["last_hidden_state"]
WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".h5", ".msgpack", ".onnx", ".ot")
TEXT_INPUTS = ["input_ids", "attention_mask", "token_type_ids"]


class Named(torch.nn.Module):
    """The network with only the outputs that a task takes."""

    def __init__(self, model, outputs):
        super().__init__()
        self.model = model
        self.outputs = outputs

    def forward(self, input_ids=None, attention_mask=None, token_type_ids=None, pixel_values=None):
        given = {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": token_type_ids, "pixel_values": pixel_values}
        found = self.model(**{name: one for name, one in given.items() if one is not None}, return_dict=True)
        return {name: found[name] for name in self.outputs}


def convert(job):
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    folder = Path(job["path"])
    config = json.loads((folder / "config.json").read_text())
    architecture = (config.get("architectures") or [""])[0]
    outputs = next((names for head, names in HEADS.items() if architecture.endswith(head)), VECTORS)
    model = load(folder, architecture, job["trust"])
    pictures = getattr(model, "main_input_name", "") == "pixel_values"
    network = Named(model, outputs)
    reader = pipelines.picture_reader(folder) if pictures else pipelines.tokenizer_of(folder, job["trust"])
    inputs = pipelines.pixels(reader) if pictures else pipelines.tokens(reader, model, TEXT_INPUTS)
    free = {0: torch.export.Dim("batch", min=1)}
    if not pictures:
        # It has an upper bound, which the tables of positions show.
        free[1] = torch.export.Dim.DYNAMIC
    # torch.export takes a size of 1 for a constant.
    example = next(one for one in inputs if min(len(array) for array in one.values()) > 1)
    program = exported(network, example, {name: free for name in example})
    export = Path(job["out"], "export")
    copy_settings(folder, export)
    write_onnx(program, example, outputs, export / "onnx/model.onnx")

    def ask(one):
        return {name: array.numpy() for name, array in ask_original(network, one).items()}

    about = f"{architecture or type(model).__name__}, {parameters(model.parameters())}"
    asked = pipelines.answers_of(architecture, model, reader, folder)
    return {"about": about, "cases": answers(ask, inputs), "answers": asked}


def load(folder, architecture, trust):
    kind = getattr(transformers, architecture, None) or transformers.AutoModel
    try:
        # Its plain attention is the one that a graph can have.
        return kind.from_pretrained(
            folder, local_files_only=True, trust_remote_code=trust, use_safetensors=None if trust else True, dtype=torch.float32, attn_implementation="eager"
        ).eval()
    except Exception as error:
        raise Refusal(f"transformers {transformers.__version__} cannot load it: {in_short(error)}") from error


def copy_settings(folder, export):
    """All that is said around the weights, and what the modules of sentence-transformers say."""
    export.mkdir()
    for path in [*folder.glob("*"), *folder.glob("*/config.json")]:
        if path.is_file() and not path.name.endswith(WEIGHTS):
            target = export / path.relative_to(folder)
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, target)
