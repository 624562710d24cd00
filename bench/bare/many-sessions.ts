// The floor of using many models in turn: sessions made, run once and released, and nothing else.
//   node --expose-gc bench/bare/many-sessions.ts <folder of models> <rounds>
// prints the resident MiB after each round over all models.
import { readdir } from "node:fs/promises";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { residentMemory } from "../processes.ts";
import { sessionOptions } from "./session-options.ts";

const KEPT = 7;
const AT_A_TIME = 8;
const [folder = "", rounds = "0"] = process.argv.slice(2);
const options = { ...sessionOptions, enableCpuMemArena: false };
const names = await readdir(folder);
const kept: InferenceSession[] = [];
const resident: number[] = [];

async function use(name: string): Promise<void> {
  const session = await InferenceSession.create(`${folder}/${name}/1/model.onnx`, options);
  const features = new Tensor("float32", Float32Array.of(5.1, 3.5, 1.4, 0.2), [1, 4]);
  await session.run({ features }, ["probabilities"]);
  kept.push(session);
  if (kept.length > KEPT) await kept.shift()?.release();
}

for (let round = 0; round < Number(rounds); round++) {
  const left = [...names];
  const client = async () => {
    for (let name = left.pop(); name; name = left.pop()) await use(name);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, client));
  globalThis.gc?.();
  resident.push((await residentMemory(process.pid)).now);
}
process.stdout.write(JSON.stringify(resident));
