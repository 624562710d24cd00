// `npm run bench -- --only soak` sends many different requests of every kind to one server. One in twenty is bad. Each
// request is sent alone first, and every later answer must equal that one. That shows answers that were mixed up. Memory
// is sampled for a trend, always after a garbage collection, because V8 would keep garbage for longer than this runs.
import { Agent, request } from "node:http";
import { compareAnswers } from "../cli/compare.ts";
import { startNodeServer } from "../test/harness/node-server.ts";
import { heapBytes } from "../test/harness/heap.ts";
import { PATIENT, residentMemory } from "./processes.ts";
import type { Table } from "./report.ts";
import { shippedModels, type Shipped } from "./shipped.ts";
import { trend } from "./statistics.ts";
import { createWorkload, type Workload } from "./workload.ts";

const REQUESTS = 200_000;
const SAMPLE_EVERY = 10_000;
const CONNECTIONS = 16;
/** One request in this many is bad. */
const BAD_EVERY = 20;
const BATCH = 4;
/** How much numbers of an example may differ, as in `nearcast verify`. */
const TOLERANCE = 1e-4;
/** MiB between samples: ten bytes a request. */
const BOUND = 0.1;

interface Asked {
  path: string;
  contentType: string;
  headers?: Record<string, string>;
  body: Buffer;
  status: number;
  /** A part of the first answer. All later answers must equal the first. */
  holds: string;
  /** The `outputs` of the manifest's example. Unknown for other inputs. */
  outputs?: unknown;
}

export async function soak(): Promise<Table[]> {
  const env = { ...PATIENT, NODE_OPTIONS: "--inspect=127.0.0.1:0" };
  const server = await startNodeServer({ env });
  const inspector = new URL(/ws:\S+/.exec(server.logs)?.[0] ?? "");
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  try {
    const models = await shippedModels();
    const good = (await Promise.all(models.map(goodRequests))).flat();
    const bad = badRequests();
    const answers = new Map<Asked, string>();
    const samples: number[] = [];
    let sent = 0;
    let wrong = 0;
    const sample = async (): Promise<void> => {
      // Collects garbage first.
      await heapBytes(inspector, async () => (await server.fetch("/health")).arrayBuffer());
      samples.push((await residentMemory(server.pid)).now);
    };
    const ask = async (asked: Asked): Promise<void> => {
      const answer = await send(agent, server.url, asked);
      // Ids differ from request to request.
      const text = answer.text.replace(/"requestId":"[^"]*"/, "");
      const known = answers.get(asked);
      answers.set(asked, known ?? text);
      if (
        answer.status === asked.status &&
        (known === undefined ? isRight(asked, text) : text === known)
      )
        return;
      wrong += 1;
      console.error(`${asked.path}: ${answer.status} ${text.slice(0, 300)}`);
    };
    const client = async (): Promise<void> => {
      while (sent < REQUESTS) {
        const turn = sent++;
        if (turn % SAMPLE_EVERY === 0) {
          await sample();
          console.error(`${turn} requests, ${samples.at(-1)?.toFixed(0)} MiB, ${wrong} wrong`);
        }
        const kinds = turn % BAD_EVERY === 0 ? bad : good;
        // A random order brings each request together with every other one.
        const asked = kinds[Math.floor(Math.random() * kinds.length)];
        if (asked) await ask(asked);
      }
    };
    for (const asked of [...good, ...bad]) await ask(asked);
    await Promise.all(Array.from({ length: CONNECTIONS }, client));
    await sample();
    const different = new Set(good.map((asked) => answers.get(asked))).size;
    return [soakTable({ samples, wrong, kinds: good.length, different })];
  } finally {
    agent.destroy();
    await server.stop();
  }
}

function isRight({ holds, outputs }: Asked, text: string): boolean {
  if (!text.includes(holds)) return false;
  if (outputs === undefined) return true;
  const answer = JSON.parse(text) as { outputs: unknown };
  return compareAnswers(outputs, answer.outputs, TOLERANCE).mismatch === undefined;
}

interface Soaked {
  samples: number[];
  wrong: number;
  /** How many different good requests there were, and how many different answers. */
  kinds: number;
  different: number;
}

function soakTable({ samples, wrong, kinds, different }: Soaked): Table {
  const { slope, margin } = trend(samples.slice(samples.length >> 1));
  const [requests, every, asked, answers] = [REQUESTS, SAMPLE_EVERY, kinds, different].map(
    (count) => count.toLocaleString("en"),
  );
  return {
    title: "Soak",
    note:
      `${requests} requests over ${CONNECTIONS} connections, at random of ${asked} different ones with ` +
      `${answers} different answers: every shipped model, one input and batches, images, tensors in JSON and ` +
      `in binary; one in ${BAD_EVERY} bad. Each was asked alone first, the manifests' examples compared with their ` +
      `outputs within ${TOLERANCE}; wrong is what differs from that first answer. MiB of resident memory, sampled ` +
      `every ${every} after a collection; the trend is of the second half, by least squares, with its 95 % interval. ` +
      `No trend: the interval holds 0 or what is below, or all of it is below ${BOUND} MiB every ${every} requests.`,
    columns: ["wrong answers", "memory", `trend, MiB every ${every} requests`, "verdict"],
    rows: [
      [
        String(wrong),
        samples.map((sample) => sample.toFixed(0)).join(", "),
        `${slope.toFixed(2)} ± ${margin.toFixed(2)}`,
        slope - margin <= 0 || slope + margin < BOUND ? "no trend" : "grows",
      ],
    ],
  };
}

async function goodRequests({ manifest, examples }: Shipped): Promise<Asked[]> {
  const model = manifest.name;
  const path = `/v1/models/${model}/predict`;
  const answered = { contentType: "application/json", status: 200, holds: '"outputs"' };
  const asked: Asked[] = examples.map(({ input, output }) => ({
    ...answered,
    path,
    body: json({ inputs: input }),
    outputs: output,
  }));
  const add = (workload: Pick<Workload, "contentType" | "bodies">, to = path) => {
    for (const body of workload.bodies)
      asked.push({ ...answered, path: to, contentType: workload.contentType, body });
  };
  add(await createWorkload({ model, format: "json" }));
  add(await createWorkload({ model, rows: BATCH }));
  if (manifest.task === "image-classification") add(await createWorkload({ model }));
  const [input] = manifest.inputs;
  if (input?.datatype !== "FP32") return asked;
  const tensors = await createWorkload({ model, format: "v2" });
  const v2 = `/v2/models/${model}/infer`;
  add(tensors, v2);
  for (const feeds of tensors.feeds) {
    const { shape = [], data = new Float32Array() } = feeds[input.name] ?? {};
    const { buffer, byteOffset, byteLength } = data as Float32Array;
    const parameters = { binary_data_size: byteLength };
    const head = json({ inputs: [{ name: input.name, datatype: "FP32", shape, parameters }] });
    asked.push({
      ...answered,
      path: v2,
      contentType: "application/octet-stream",
      headers: { "inference-header-content-length": String(head.length) },
      body: Buffer.concat([head, Buffer.from(buffer, byteOffset, byteLength)]),
    });
  }
  return asked;
}

function badRequests(): Asked[] {
  const path = "/v1/models/iris/predict";
  const contentType = "application/json";
  const bad = (status: number, code: string, body: Buffer, other: Partial<Asked> = {}): Asked => ({
    path,
    contentType,
    body,
    status,
    holds: `"code":"${code}"`,
    ...other,
  });
  return [
    bad(400, "malformed_json", Buffer.from('{"inputs":')),
    bad(404, "unknown_model", json({ inputs: [1] }), { path: "/v1/models/nobody/predict" }),
    bad(415, "unsupported_media_type", Buffer.from("a=1"), { contentType: "text/plain" }),
    bad(422, "invalid_input", json({ inputs: { sepal_length: "long" } })),
    bad(422, "invalid_input", json({ inputs: [] })),
    bad(422, "invalid_input", Buffer.from("no image"), {
      path: "/v1/models/digits/predict",
      contentType: "image/png",
    }),
    bad(
      422,
      "invalid_input",
      json({ inputs: [{ name: "x", shape: [1], datatype: "FP32", data: [1] }] }),
      {
        path: "/v2/models/iris/infer",
        holds: "is not an input",
      },
    ),
  ];
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function send(agent: Agent, url: string, { path, contentType, headers, body }: Asked) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const asked = request(new URL(path, url), {
      method: "POST",
      agent,
      headers: { "content-type": contentType, "content-length": body.length, ...headers },
    });
    asked.once("error", reject);
    asked.once("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
      response.once("error", reject);
    });
    asked.end(body);
  });
}
