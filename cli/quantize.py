"""Dynamic INT8 quantisation with ONNX Runtime's own quantiser: quantize.py SOURCE TARGET."""

import sys

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

# What the dynamic quantiser has integer forms of.
QUANTISABLE = {"Attention", "Conv", "Gather", "Gemm", "LSTM", "MatMul"}

source, target = sys.argv[1:]
operators = {node.op_type for node in onnx.load(source, load_external_data=False).graph.node}
if any("Integer" in name or "QuantizeLinear" in name for name in operators):
    sys.exit("The model is quantised already.")
if not operators & QUANTISABLE:
    sys.exit(f"The graph has none of the operators that INT8 helps: {', '.join(sorted(QUANTISABLE))}.")
# Unsigned weights: signed ones can overflow on x64 processors without VNNI, and then answer differently
# from WASM and from newer processors.
quantize_dynamic(source, target, weight_type=QuantType.QUInt8)
