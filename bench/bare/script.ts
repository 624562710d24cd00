// The least code that answers a prediction from a cold process: ONNX Runtime, the model, one run.
import { InferenceSession, Tensor } from "onnxruntime-node";
import { sessionOptions } from "./session-options.ts";

const session = await InferenceSession.create("models/iris/1/model.onnx", sessionOptions);
const features = new Tensor("float32", Float32Array.of(5.1, 3.5, 1.4, 0.2), [1, 4]);
const { probabilities } = await session.run({ features }, ["probabilities"]);
console.log(JSON.stringify(Array.from(probabilities?.data as Float32Array)));
