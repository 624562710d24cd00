// `session.run` in a loop and nothing else: reads a BareLoop, prints the median in milliseconds.
import { InferenceSession, Tensor } from "onnxruntime-node";
import { childOptions } from "../processes.ts";
import { quantile } from "../statistics.ts";
import { createWorkload, ortFeeds } from "../workload.ts";
import { sessionOptions } from "./session-options.ts";

export interface BareLoop {
  model: string;
  rows?: number;
  seconds: number;
}

const { model, rows, seconds } = childOptions() as BareLoop;
const { artifact, feeds, outputNames } = await createWorkload({ model, rows });
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
console.log(JSON.stringify({ p50: quantile(durations, 0.5) }));
