"""Makes version 2 of the digits model: the weights and sums of version 1 as 8-bit integers.

Static quantisation: the ranges are measured once, here, on training images. Dynamic quantisation would
measure them on each batch, and an image would get other scores in other company.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from package import arguments, open_session, run, write_package
from train import HELD_OUT, LABELS, SEED, to_png, to_tensor

VERSION = "2"
CALIBRATION = 500
HERE = Path(__file__).resolve().parent
DATASET = "scikit-learn digits, held-out fifth (360 of 1,797 images, stratified)"


class Images(CalibrationDataReader):
    def __init__(self, images):
        self.rows = iter(images)

    def get_next(self):
        row = next(self.rows, None)
        return None if row is None else {"pixels": row[None]}


def main():
    args = arguments(__file__)
    before = json.loads((HERE / "1/model.json").read_text(encoding="utf-8"))
    lines = (HERE / "heldout.jsonl").read_text(encoding="utf-8").splitlines()
    heldout = [json.loads(line) for line in lines]
    digits = load_digits()
    train, _ = train_test_split(
        [to_png(image) for image in digits.images],
        test_size=HELD_OUT,
        stratify=digits.target,
        random_state=SEED,
    )
    model = quantize(HERE / "1/model.onnx", to_tensor(train[:CALIBRATION]))

    images = to_tensor([line["input"] for line in heldout])
    first = run(open_session(onnx.load(HERE / "1/model.onnx")), images)
    second = run(open_session(model), images)
    same = int((first.argmax(axis=1) == second.argmax(axis=1)).sum())
    print(f"{same} of {len(images)} digits as in version 1, scores differ by {np.abs(first - second).max():.3f}")

    write_package(
        args.out,
        model,
        to_tensor,
        heldout,
        examples=[example["input"] for example in before["examples"]],
        dataset=DATASET,
        release=False,
        metrics=[
            {**metric, "name": f"{metric['name']}_of_version_1"} for metric in before["metrics"]
        ],
        name="digits",
        version=VERSION,
        task=before["task"],
        description="Reads one handwritten digit from an 8x8 grey image, bright ink on a black ground. "
        "Version 1 in 8-bit integers, a quarter of the size.",
        labels=LABELS,
        image=before["image"],
    )


def quantize(path, images):
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model.onnx"
        quantize_static(
            path,
            out,
            Images(images),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # With 8 bits, processors without VNNI saturate the sums of two products and answer otherwise.
            reduce_range=True,
        )
        return onnx.load(out)


if __name__ == "__main__":
    main()
