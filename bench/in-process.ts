// Measures the service's own cost without a network. In one process, `app.request`, bare `session.run` of the same input
// and the least Hono app around it take turns. Reads an InProcess, prints an InProcessResult.
import { Hono } from "hono";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { createApp } from "../functions/app.ts";
import { createNodePlatform } from "../functions/platform/node.ts";
import { createService } from "../functions/service.ts";
import { V8_FLAGS } from "../test/harness/node-server.ts";
import { sessionOptions } from "./bare/session-options.ts";
import { childOptions, runChild, SERVER_CORE } from "./processes.ts";
import { quantile } from "./statistics.ts";
import { tensorBodies, tensorFeeds, tensorWorkload, type TensorCase } from "./tensor-requests.ts";
import { createWorkload, ortFeeds, type WorkloadOptions } from "./workload.ts";

type InProcess = { seconds: number } & (WorkloadOptions | TensorsInProcess);

/** Sent in binary to the model of that name in the store. */
interface TensorsInProcess {
  tensors: TensorCase;
  store: string;
}

/** Median milliseconds. */
export interface InProcessResult {
  app: number;
  bare: number;
  /**
   * A Hono app that only reads the body's JSON, runs the session and answers its outputs. For tensors it takes and
   * gives their bytes.
   */
  hono: number;
}

export function measureInProcess(options: InProcess): Promise<InProcessResult> {
  return runChild<InProcessResult>("in-process.ts", options, SERVER_CORE, V8_FLAGS);
}

/** The length of each turn. Turns are short, so that noise of the machine hits all alike. */
const TURN_MS = 50;
/** After so many calls V8 has compiled what is called often: on a busy machine, time alone does not tell. */
const WARM_UP_CALLS = 12_000;
/** The bound of a program's warm-up, for models whose calls take long. */
const WARM_UP_MS = 15_000;

interface Sent {
  headers: Record<string, string>;
  bodies: Buffer[];
}

/** The programs that take turns, and their requests. */
interface Contest {
  store: string;
  path: string;
  toApp: Sent;
  isRight: (answer: Buffer) => boolean;
  least: Hono;
  toLeast: Sent;
  bare: (turn: number) => Promise<unknown>;
}

if (import.meta.main) {
  const options = childOptions() as InProcess;
  const contest = "tensors" in options ? await tensors(options) : await rows(options);
  const app = createApp(createService(createNodePlatform({ STORE: contest.store })));
  const via = (hono: Pick<Hono, "request">, { headers, bodies }: Sent) => {
    const requests = bodies.map((body) => ({
      method: "POST",
      headers: { ...headers, "content-length": String(body.length) },
      body: new Uint8Array(body),
    }));
    return async (turn: number) => {
      const answer = await hono.request(contest.path, requests[turn % requests.length]);
      return answer.arrayBuffer();
    };
  };
  const viaApp = via(app, contest.toApp);
  const viaLeast = via(contest.least, contest.toLeast);
  const first = Buffer.from(await viaApp(0));
  if (!contest.isRight(first))
    throw new Error(`${contest.path} answered ${first.toString().slice(0, 1000)}`);

  const programs = [
    ["app", viaApp],
    ["bare", contest.bare],
    ["hono", viaLeast],
  ] as const;
  for (const [, work] of programs)
    for (let call = 0, end = performance.now() + WARM_UP_MS; call < WARM_UP_CALLS; call++) {
      await work(call);
      if (performance.now() > end) break;
    }
  const end = performance.now() + options.seconds * 1000;
  const durations = { app: [] as number[], bare: [] as number[], hono: [] as number[] };
  let turn = 0;
  while (performance.now() < end)
    for (const [name, work] of programs)
      for (const turnEnd = performance.now() + TURN_MS; performance.now() < turnEnd; turn++) {
        const before = performance.now();
        await work(turn);
        durations[name].push(performance.now() - before);
      }
  const result: InProcessResult = {
    app: quantile(durations.app, 0.5),
    bare: quantile(durations.bare, 0.5),
    hono: quantile(durations.hono, 0.5),
  };
  console.log(JSON.stringify(result));
}

async function rows(options: WorkloadOptions): Promise<Contest> {
  const { artifact, bodies, contentType, feeds, firstLabel, model, outputNames } =
    await createWorkload(options);
  const session = await InferenceSession.create(artifact, sessionOptions);
  const inputs = ortFeeds(feeds, Tensor);
  const bare = (turn: number) => session.run(inputs[turn % inputs.length] ?? {}, outputNames);
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
  const sent = { headers: { "content-type": contentType }, bodies };
  return {
    store: "models",
    path: `/v1/models/${model}/predict`,
    toApp: sent,
    isRight: (answer) => answer.includes(`"label":"${firstLabel}"`),
    least,
    toLeast: sent,
    bare,
  };
}

async function tensors({ tensors: name, store }: TensorsInProcess): Promise<Contest> {
  const { artifact, feeds, outputNames } = await tensorFeeds(name);
  const { input, output, shape } = await tensorWorkload(name);
  const session = await InferenceSession.create(artifact, sessionOptions);
  const inputs = ortFeeds(feeds, Tensor);
  const least = new Hono().post("/v2/models/:model/infer", async (c) => {
    const data = new Float32Array(await c.req.arrayBuffer());
    const results = await session.run({ [input]: new Tensor("float32", data, shape) }, [output]);
    const answer = results[output]?.data as Float32Array<ArrayBuffer>;
    return c.body(new Uint8Array(answer.buffer, answer.byteOffset, answer.byteLength));
  });
  const toLeast = await tensorBodies({ tensors: name, format: "raw" });
  return {
    store,
    path: `/v2/models/${name}/infer`,
    toApp: await tensorBodies({ tensors: name, format: "binary" }),
    // This model answers its input.
    isRight: (answer) => answer.includes(toLeast.bodies[0] ?? "nothing"),
    least,
    toLeast,
    bare: (turn) => session.run(inputs[turn % inputs.length] ?? {}, outputNames),
  };
}
