import { expect, test } from "vitest";
import { plainReason } from "../functions/plain-reason.ts";

const NATIVE = "/onnxruntime_src/onnxruntime/core";
const WASM = "/mnt/azure_nvme_temp/_work/1/s/onnxruntime/core";

test.for([
  [
    "a load, native",
    `Load model from /tmp/x/model.onnx failed:${NATIVE}/graph/model.cc:202 onnxruntime::Model::Model(onnx::ModelProto&&, const onnxruntime::PathString&, const std::function<void(int)>&) Unsupported model IR version: 99, max supported IR version: 13\n`,
    "Unsupported model IR version: 99, max supported IR version: 13",
  ],
  [
    "a load, WASM",
    `Can't create a session. ERROR_CODE: 1, ERROR_MESSAGE: ${WASM}/graph/model.cc:203 onnxruntime::Model::Model(ModelProto &&, const logging::Logger &) Unsupported model IR version: 99\n`,
    "Unsupported model IR version: 99",
  ],
  [
    "a run",
    `Non-zero status code returned while running Reshape node. Name:'shape' Status Message: ${NATIVE}/providers/cpu/tensor/reshape_helper.h:47 onnxruntime::ReshapeHelper::ReshapeHelper(const onnxruntime::TensorShape&, bool) input_shape_size == size was false. The input tensor cannot be reshaped to the requested shape. Input shape:{1,3}, requested shape:{2,2}\n`,
    "Reshape (shape): The input tensor cannot be reshaped to the requested shape. Input shape:{1,3}, requested shape:{2,2}",
  ],
  [
    "a lambda",
    `Exception during initialization: ${NATIVE}/providers/cpu/text/string_normalizer.cc:235 onnxruntime::StringNormalizer::Locale::Locale(const std::string&)::<lambda()> Failed to construct locale with name:xx`,
    "Failed to construct locale with name:xx",
  ],
  [
    "a function without parameters",
    "Deserialize tensor w failed.tensorprotoutils.cc:1763 GetExtDataFromTensorProto External initializer: w offset: 0",
    "Deserialize tensor w External initializer: w offset: 0",
  ],
  [
    "an operator call",
    `${NATIVE}/a/b.cc:7 onnxruntime::Op::operator()(std::ptrdiff_t, int) const [with T = float] It did not fit.`,
    "It did not fit.",
  ],
  [
    "a node",
    'Load model from x.onnx failed:This is an invalid model. In Node, ("", Cast, "", -1) : ("x": tensor(float),) -> ("y": tensor(float),) , Error Required attribute \'to\' is missing.',
    "Required attribute 'to' is missing.",
  ],
  [
    "a condition with points in it",
    `Non-zero status code returned while running Pad node. Name:'node' Status Message: ${NATIVE}/providers/cpu/tensor/padbase.h:122 static void onnxruntime::PadBase::ComputePadsImpl(KernelContextType&, size_t, gsl::span<const long int>, PadsVector&) [with KernelContextType = onnxruntime::OpKernelContext; size_t = long unsigned int; PadsVector = absl::lts_20250814::InlinedVector<long int, 10, std::allocator<long int> >] pads_data.size() == 2 * data_rank was false. Pads tensor size should be equal to twice the input dimension count \n`,
    "Pad (node): Pads tensor size should be equal to twice the input dimension count",
  ],
  [
    "a condition of a template, WASM",
    `failed to call OrtRun(). ERROR_CODE: 1, ERROR_MESSAGE: ${WASM}/providers/cpu/tensor/concatbase.h:120 Status onnxruntime::ConcatBase::PrepareForComputeImpl(KernelContextType *, const InlinedTensorsVector &, Prepare &) const [KernelContextType = onnxruntime::OpKernelContext] input_rank == reference_rank was false. Ranks of input data are different, cannot concatenate them. expected rank: 2 got: 1`,
    "Ranks of input data are different, cannot concatenate them. expected rank: 2 got: 1",
  ],
  [
    "a condition with a function in it",
    `failed to call OrtRun(). ERROR_CODE: 1, ERROR_MESSAGE: ${WASM}/providers/cpu/nn/flatten.h:33 virtual Status onnxruntime::Flatten::Compute(OpKernelContext *) const gsl::narrow_cast<int64_t>(X_shape.NumDimensions()) >= axis was false. The rank of input tensor must be >= axis`,
    "The rank of input tensor must be >= axis",
  ],
  [
    "a condition without words",
    `${NATIVE}/providers/cpu/nn/flatten.h:33 virtual onnxruntime::common::Status onnxruntime::Flatten::Compute(onnxruntime::OpKernelContext*) const shape.Size() == 3 was false.`,
    "it gave no reason.",
  ],
  [
    "a place in a place",
    `Non-zero status code returned while running ConstantOfShape node. Name:'node' Status Message: ${NATIVE}/framework/op_kernel.cc:83 virtual OrtValue* onnxruntime::OpKernelContext::OutputMLValue(int, const onnxruntime::TensorShape&) [ONNXRuntimeError] : 1 : FAIL : tensor.cc:57 CalculateTensorStorageSize Tensor shape.Size() must be >= 0 `,
    "ConstantOfShape (node): Tensor size must be >= 0",
  ],
  [
    "a function of the C library",
    "Non-zero status code returned while running Cast node. Name:'node' Status Message: stoll",
    "Cast (node): a text is no number",
  ],
  [
    "a locale",
    `Exception during initialization: ${NATIVE}/providers/cpu/text/string_normalizer.cc:235 onnxruntime::StringNormalizer::Locale::Locale(const std::string&)::<lambda()> Failed to construct locale with name:en_US.UTF-8:locale::facet::_S_create_c_locale name not valid:Please, install`,
    "Failed to construct locale with name:en_US.UTF-8 name not valid:Please, install",
  ],
  ["any other message", "connect ECONNREFUSED 127.0.0.1:1", "connect ECONNREFUSED 127.0.0.1:1"],
  ["none", "", "it gave no reason."],
] as const)("%s is said without ONNX Runtime's source", ([, message, plain]) => {
  expect(plainReason(message)).toBe(plain);
});
