"""
Reads a trained model, exports it to ONNX and asks it for answers to compare with: convert.py JOB.json

It runs in a process of its own, without network and with bounds. What it says goes into the job's folder: an ONNX file for
each precision and report.json.
"""

import json
import os
import sys
import warnings
from pathlib import Path

# Python runs isolated (-I), so that no module beside the model's file takes the place of another.
sys.path.insert(0, str(Path(__file__).parent))

from bounds import bound, check_unpacked


def main():
    job = json.loads(Path(sys.argv[1]).read_text())
    bound(job["memoryMb"], job["network"])
    from refusal import NeedsPackage, Refusal

    try:
        check_unpacked(Path(job["path"]), job["memoryMb"])
        convert = converter(job["kind"]).convert
        hide_own()
        report = convert(job)
    except Refusal as refusal:
        report = {"refused": str(refusal)}
    except NeedsPackage as needs:
        report = {"needs": needs.module}
    except MemoryError:
        report = {"refused": f"The model needs more than {job['memoryMb']} MB of memory. If it is that large, allow more with --memory."}
    Path(job["out"], "report.json").write_text(json.dumps(report))


def converter(kind):
    """Each has its own environment, so only its own module can be imported."""
    if kind == "torch":
        import torch_models as found
    elif kind == "hugging-face":
        import hugging_face as found
    elif kind == "keras":
        import keras_models as found
    elif kind == "saved-model":
        import saved_models as found
    else:
        import sklearn_models as found
    return found


def hide_own():
    """A module of the model's own code may have the name of a file here, and is the one that the code means."""
    folder = Path(__file__).parent
    sys.path.remove(str(folder))
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name != "__main__" and file and Path(file).parent == folder:
            del sys.modules[name]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    os.umask(0o077)
    main()
