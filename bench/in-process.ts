// The service's own cost without a network: `app.request`, bare `session.run` of the same input, and the least
// Hono app around it, in turn in one process. Reads an InProcess, prints an InProcessResult.
import { Hono } from "hono";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { createApp } from "../functions/app.ts";
import { createNodePlatform } from "../functions/platform/node.ts";
import { sessionOptions } from "./bare/session-options.ts";
import { childOptions, runChild, SERVER_CORE } from "./processes.ts";
import { quantile } from "./statistics.ts";
import { createWorkload, ortFeeds } from "./workload.ts";

interface InProcess {
  model: string;
  rows?: number | undefined;
  seconds: number;
}

/** Median milliseconds. */
export interface InProcessResult {
  app: number;
  bare: number;
  /** A Hono app that reads the body's JSON, runs the session and answers its outputs, and nothing else. */
  hono: number;
}

export function measureInProcess(options: InProcess): Promise<InProcessResult> {
  return runChild<InProcessResult>("in-process.ts", options, SERVER_CORE);
}

/** Each takes its turn for this long, so that noise of the machine meets both. */
const TURN_MS = 50;
const WARM_UP_MS = 1000;

if (import.meta.main) {
  const { model, rows, seconds } = childOptions() as InProcess;
  const { artifact, bodies, contentType, feeds, firstLabel, outputNames } = await createWorkload({
    model,
    rows,
  });
  const app = createApp(createNodePlatform({}));
  const requests = bodies.map((body) => ({
    method: "POST",
    headers: { "content-type": contentType, "content-length": String(body.length) },
    body: new Uint8Array(body),
  }));
  const via =
    (hono: Pick<Hono, "request">) =>
    async (turn: number): Promise<string> => {
      const path = `/v1/models/${model}/predict`;
      const response = await hono.request(path, requests[turn % requests.length]);
      return response.text();
    };
  const viaApp = via(app);
  const session = await InferenceSession.create(artifact, sessionOptions);
  const tensors = ortFeeds(feeds, Tensor);
  const bare = (turn: number) => session.run(tensors[turn % tensors.length] ?? {}, outputNames);
  let served = 0;
  const least = new Hono().post("/v1/models/:model/predict", async (c) => {
    if (contentType === "application/json") await c.req.json();
    else await c.req.arrayBuffer();
    const results = await bare(served++);
    const outputs = Object.entries(results).map(([name, { data }]) => [
      name,
      Array.from(data as ArrayLike<unknown>, String),
    ]);
    return c.json({ model: c.req.param("model"), outputs: Object.fromEntries(outputs) as object });
  });

  const first = await viaApp(0);
  if (!first.includes(`"label":"${firstLabel}"`)) throw new Error(`${model} answered ${first}`);
  const start = performance.now();
  const end = start + WARM_UP_MS + seconds * 1000;
  const durations = { app: [] as number[], bare: [] as number[], hono: [] as number[] };
  let turn = 0;
  while (performance.now() < end)
    for (const [name, work] of [
      ["app", viaApp],
      ["bare", bare],
      ["hono", via(least)],
    ] as const)
      for (const turnEnd = performance.now() + TURN_MS; performance.now() < turnEnd; turn++) {
        const before = performance.now();
        await work(turn);
        if (before > start + WARM_UP_MS) durations[name].push(performance.now() - before);
      }
  const result: InProcessResult = {
    app: quantile(durations.app, 0.5),
    bare: quantile(durations.bare, 0.5),
    hono: quantile(durations.hono, 0.5),
  };
  console.log(JSON.stringify(result));
}
