// `npm run bench -- --only soak`: many requests of every kind to one server, one in twenty of them bad; every
// answer is compared, and resident memory is sampled for a trend, each time after a collection: V8 lets garbage
// lie for longer than this runs.
import { Agent, request } from "node:http";
import { startNodeServer } from "../test/harness/node-server.ts";
import { heapBytes } from "../test/harness/heap.ts";
import { PATIENT, residentMemory } from "./processes.ts";
import type { Table } from "./report.ts";
import { shippedModels, type Shipped } from "./shipped.ts";
import { trend } from "./statistics.ts";

const REQUESTS = 200_000;
const SAMPLE_EVERY = 10_000;
const CONNECTIONS = 16;
/** One request in this many is bad. */
const BAD_EVERY = 20;
const BATCH = 4;
/** MiB between samples that are taken for a trend: ten bytes a request. */
const GROWTH = 0.1;

interface Asked {
  path: string;
  contentType: string;
  headers?: Record<string, string>;
  body: Buffer;
  status: number;
  /** What must be in the first answer; all further ones must equal that. */
  holds: string;
}

export async function soak(): Promise<Table[]> {
  const env = { ...PATIENT, NODE_OPTIONS: "--inspect=127.0.0.1:0" };
  const server = await startNodeServer({ env });
  const inspector = new URL(/ws:\S+/.exec(server.logs)?.[0] ?? "");
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  try {
    const models = await shippedModels();
    const good = models.flatMap(goodRequests);
    const bad = badRequests();
    const answers = new Map<Asked, string>();
    const samples: number[] = [];
    let sent = 0;
    let wrong = 0;
    const sample = async (): Promise<void> => {
      // For the collection.
      await heapBytes(inspector, async () => (await server.fetch("/health")).arrayBuffer());
      samples.push((await residentMemory(server.pid)).now);
    };
    const client = async (): Promise<void> => {
      while (sent < REQUESTS) {
        const turn = sent++;
        if (turn % SAMPLE_EVERY === 0) {
          await sample();
          console.error(`${turn} requests, ${samples.at(-1)?.toFixed(0)} MiB, ${wrong} wrong`);
        }
        const kinds = turn % BAD_EVERY === 0 ? bad : good;
        const asked = kinds[Math.floor(turn / (kinds === bad ? BAD_EVERY : 1)) % kinds.length];
        if (asked && !(await isRight(asked))) wrong += 1;
      }
    };
    const isRight = async (asked: Asked): Promise<boolean> => {
      const answer = await send(agent, server.url, asked);
      // Ids differ from request to request.
      const text = answer.text.replace(/"requestId":"[^"]*"/, "");
      const known = answers.get(asked) ?? text;
      answers.set(asked, known);
      if (answer.status === asked.status && text === known && text.includes(asked.holds))
        return true;
      console.error(`${asked.path}: ${answer.status} ${text.slice(0, 300)}`);
      return false;
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, client));
    await sample();
    return [soakTable(samples, wrong)];
  } finally {
    agent.destroy();
    await server.stop();
  }
}

function soakTable(samples: number[], wrong: number): Table {
  const { slope, margin } = trend(samples.slice(samples.length >> 1));
  const thousands = SAMPLE_EVERY / 1000;
  return {
    title: "Soak",
    note:
      `${REQUESTS.toLocaleString("en")} requests over ${CONNECTIONS} connections: every shipped model, one input ` +
      `and batches, images, tensors in JSON and in binary; one in ${BAD_EVERY} bad. MiB of resident memory, ` +
      `sampled every ${thousands},000 after a collection; the trend is of the second half, by least squares, with its 95 % interval.`,
    columns: ["wrong answers", "memory", `trend, MiB every ${thousands},000 requests`, "verdict"],
    rows: [
      [
        String(wrong),
        samples.map((sample) => sample.toFixed(0)).join(", "),
        `${slope.toFixed(2)} ± ${margin.toFixed(2)}`,
        slope - margin > GROWTH ? "grows" : "no trend",
      ],
    ],
  };
}

function goodRequests({ manifest, example }: Shipped): Asked[] {
  const path = `/v1/models/${manifest.name}/predict`;
  const answered = { contentType: "application/json", status: 200, holds: '"outputs"' };
  const label = (example.output as { label?: string } | undefined)?.label;
  const holds = label === undefined ? '"outputs"' : `"label":"${label}"`;
  const inputs = Array.from({ length: BATCH }, () => example.input);
  const asked: Asked[] = [
    { ...answered, path, holds, body: json({ inputs: example.input }) },
    { ...answered, path, holds, body: json({ inputs }) },
  ];
  if (manifest.task === "image-classification") {
    const body = Buffer.from(example.input as string, "base64");
    asked.push({ ...answered, path, contentType: "image/png", holds, body });
  }
  const [input] = manifest.inputs;
  if (input?.datatype === "FP32") {
    const shape = input.shape.map((size) => (size === -1 ? 1 : size));
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(1);
    const described = { name: input.name, datatype: "FP32", shape };
    const v2 = { ...answered, path: `/v2/models/${manifest.name}/infer` };
    asked.push({ ...v2, body: json({ inputs: [{ ...described, data: Array.from(data) }] }) });
    const head = json({
      inputs: [{ ...described, parameters: { binary_data_size: data.byteLength } }],
    });
    asked.push({
      ...v2,
      contentType: "application/octet-stream",
      headers: { "inference-header-content-length": String(head.length) },
      body: Buffer.concat([head, Buffer.from(data.buffer)]),
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
