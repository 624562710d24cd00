// Resident memory of the three shipped models' sessions and nothing else: prints its MiB.
import { InferenceSession, Tensor } from "onnxruntime-node";
import { residentMemory } from "../processes.ts";
import { sessionOptions } from "./session-options.ts";

const INPUTS = {
  iris: { features: new Tensor("float32", Float32Array.of(5.1, 3.5, 1.4, 0.2), [1, 4]) },
  sentiment: { text: new Tensor("string", ["A very good film."], [1]) },
  digits: { pixels: new Tensor("float32", new Float32Array(64), [1, 1, 8, 8]) },
};
for (const [model, feeds] of Object.entries(INPUTS)) {
  const session = await InferenceSession.create(`models/${model}/1/model.onnx`, sessionOptions);
  for (let run = 0; run < 1000; run++) await session.run(feeds);
}
console.log(JSON.stringify(await residentMemory(process.pid)));
