import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { readConfig } from "../functions/config.ts";
import { createDeadline } from "../functions/load/deadline.ts";
import { createPhases } from "../functions/observe/phases.ts";
import { prepare } from "../functions/load/prepare.ts";
import { createFileDecoders } from "../functions/platform/file-decoders.ts";
import { parseParameters } from "../functions/tasks/define.ts";
import { createTasks } from "../functions/tasks/tasks.ts";
import { DATATYPES, type Tensors } from "../functions/tensor.ts";
import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";

export interface WorkloadOptions {
  model: string;
  /** The folder of the model. The shipped ones when absent. */
  models?: string;
  /** Inputs a request. When absent, one input without an array. */
  rows?: number | undefined;
  /** The native API (an image as its bytes, or all in JSON), or the Open Inference Protocol (`v2`). */
  format?: "native" | "json" | "v2";
}

/** Real inputs of one shipped model, in each form that the bench sends or runs. */
export interface Workload {
  model: string;
  contentType: string;
  /** All different. */
  bodies: Buffer[];
  /** The tensors that the task makes of the same inputs. */
  feeds: Tensors[];
  outputNames: readonly string[];
  artifact: string;
  /** The expected label of the first body. */
  firstLabel: string;
}

/** How many different requests are sent in turn. */
const REQUESTS = 50;

/** Reads `models/`, or another folder, below the working directory, because bundled programs use it too. */
export async function createWorkload(options: WorkloadOptions): Promise<Workload> {
  const { model, models = "models", rows, format = "native" } = options;
  const read = (file: string) => readFile(`${models}/${model}/${file}`, "utf8");
  const { stable } = JSON.parse(await read("release.json")) as { stable: string };
  const tasks = createTasks();
  const manifest = tasks.parseManifest(await read(`${stable}/model.json`));
  const heldOut = (await read("heldout.jsonl"))
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { input: unknown }).input);
  // The first body is the manifest's first example, whose answer is known.
  const example = manifest.examples[0] as { input: unknown; output: { label: string } };
  const inputs = [example.input, ...heldOut];
  const config = readConfig(
    {},
    { STORE: "models", RUNTIME: "native", SESSION_BUDGET_MB: 1 },
    "node",
  );
  const assets = await Promise.all(
    (manifest.assets ?? []).map(
      async ({ file }) => [file, await readFile(`${models}/${model}/${stable}/${file}`)] as const,
    ),
  );
  const { input, parameters: schema } = tasks.of(manifest);
  const task = await tasks.compile(manifest, {
    limits: config.limits,
    assets: new Map(assets),
    loadDecoder: createFileDecoders((file) => fileURLToPath(import.meta.resolve(file))),
  });
  const batches = Array.from({ length: REQUESTS }, (_, request) =>
    Array.from(
      { length: rows ?? 1 },
      (_, row) => inputs[(request * (rows ?? 1) + row) % inputs.length],
    ),
  );
  const phases = createPhases(undefined);
  const deadline = createDeadline(Infinity, () => false);
  const parameters = parseParameters(schema, undefined);
  const runs = await Promise.all(
    batches.map(async (batch) =>
      prepare(undefined, phases, deadline, () =>
        task.preprocess(batch, { pathOf: () => "inputs", parameters }),
      ),
    ),
  );
  const feeds = runs.flat().map((run) => run.feeds);
  const encode = (): Pick<Workload, "contentType" | "bodies"> => {
    if (format === "v2") return json(feeds.map(inferenceRequest));
    if (input !== "image" || rows !== undefined || format === "json")
      return json(batches.map((batch) => ({ inputs: rows === undefined ? batch[0] : batch })));
    const images = batches.map((batch) => Buffer.from(batch[0] as string, "base64"));
    return { contentType: "image/png", bodies: images };
  };
  return {
    model,
    ...encode(),
    feeds,
    outputNames: task.outputNames,
    artifact: `${models}/${model}/${stable}/${manifest.artifact.file}`,
    firstLabel: example.output.label,
  };
}

function json(bodies: unknown[]): Pick<Workload, "contentType" | "bodies"> {
  return {
    contentType: "application/json",
    bodies: bodies.map((body) => Buffer.from(JSON.stringify(body))),
  };
}

function inferenceRequest(tensors: Tensors): unknown {
  return {
    inputs: Object.entries(tensors).map(([name, { datatype, shape, data }]) => ({
      name,
      datatype,
      shape,
      // FP32 needs few digits. Those of a double would only make the bodies longer.
      data: Array.from(data as ArrayLike<unknown>, (value) =>
        datatype === "FP32" ? Number((value as number).toPrecision(8)) : value,
      ),
    })),
  };
}

/** Makes tensors of ONNX Runtime. This time is not measured. */
export function ortFeeds(
  feeds: Tensors[],
  TensorClass: typeof OrtTensor,
): InferenceSession.FeedsType[] {
  return feeds.map((tensors) =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, { datatype, data, shape }]) => [
        name,
        new TensorClass(DATATYPES[datatype].ort as "float32", data as Float32Array, shape),
      ]),
    ),
  );
}
