import { costlyRequests } from "../test/adversarial/cost/corpus.ts";
import type { Shipped } from "./shipped.ts";
import { createWorkload, type Workload } from "./workload.ts";

const BATCH = 4;

/** A request of the soak, with the known facts about its answer. */
export interface Asked {
  path: string;
  contentType?: string;
  headers?: Record<string, string>;
  body: Buffer;
  /** Undefined when the first answer decides. */
  status?: number;
  /** A part of the first answer. All later answers must equal the first. */
  holds: string;
  /** The `outputs` of the manifest's example. Unknown for other inputs. */
  outputs?: unknown;
}

/** The costliest bodies of up to 64 kB: each is refused or answered, and the same each time. */
export function costlyBodies(): Asked[] {
  return [...costlyRequests()].map(({ attack: { path, headers, body } }) => ({
    path,
    headers: Object.fromEntries(headers),
    body: body ?? Buffer.alloc(0),
    holds: "",
  }));
}

/** Every input of a shipped model: one and many, images, tensors in JSON and in binary. */
export async function goodRequests({ manifest, examples }: Shipped): Promise<Asked[]> {
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

/** Requests with a mistake that is refused at once. */
export function badRequests(): Asked[] {
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
