// `session.run` in a loop and nothing else: reads a BareLoop, prints median and mean in milliseconds.
import { InferenceSession, Tensor } from "onnxruntime-node";
import { childOptions } from "../processes.ts";
import { quantile } from "../statistics.ts";
import { createWorkload, ortFeeds } from "../workload.ts";
import { tensorFeeds, type TensorCase } from "../tensor-requests.ts";
import { sessionOptions } from "./session-options.ts";

export type BareLoop = { seconds: number } & (
  | { model: string; models?: string; rows?: number }
  | { tensors: TensorCase }
);

const options = childOptions() as BareLoop;
const { seconds } = options;
const { artifact, feeds, outputNames } =
  "tensors" in options ? await tensorFeeds(options.tensors) : await createWorkload(options);
const session = await InferenceSession.create(artifact, sessionOptions);
const tensors = ortFeeds(feeds, Tensor);
const durations: number[] = [];
const start = performance.now();
const warm = start + 200;
const end = warm + seconds * 1000;
for (let run = 0; performance.now() < end; run++) {
  const before = performance.now();
  await session.run(tensors[run % tensors.length] ?? {}, outputNames);
  if (before > warm) durations.push(performance.now() - before);
}
const mean = durations.reduce((sum, one) => sum + one, 0) / durations.length;
console.log(JSON.stringify({ p50: quantile(durations, 0.5), mean }));
