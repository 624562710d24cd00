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
  ["any other message", "connect ECONNREFUSED 127.0.0.1:1", "connect ECONNREFUSED 127.0.0.1:1"],
  ["none", "", "it gave no reason."],
] as const)("%s is said without ONNX Runtime's source", ([, message, plain]) => {
  expect(plainReason(message)).toBe(plain);
});
