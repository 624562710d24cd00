import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { filesOfModels } from "../../cli/local/models.ts";
import { digitPng, validBinary, validCsv, validJson } from "../adversarial/valid-requests.ts";
import { postJson, type Attack } from "../adversarial/request.ts";
import { wavOf } from "../audio/recordings.ts";
import { clientOf, rawRequest, WAYS } from "../dialects/grpc.ts";
import { addTokens } from "../dialects/texts.ts";
import { targets, type StartTarget, type Target } from "../harness/targets.ts";
import { SECRET, serveFetch, SMALL_MB, type Served } from "./deployments.ts";
import { addExport } from "../hugging-face/export-folder.ts";

const IDENTITY = join(import.meta.dirname, "../fixtures/identity");

const images: Attack[] = [
  {
    kind: "a raw image",
    method: "POST",
    path: "/v1/models/digits/predict?top_k=3",
    headers: [["Content-Type", "image/png"]],
    body: digitPng,
  },
  {
    kind: "a form",
    method: "POST",
    path: "/v1/models/digits/predict",
    headers: [["Content-Type", "multipart/form-data; boundary=x"]],
    body: Buffer.concat([
      Buffer.from('--x\r\nContent-Disposition: form-data; name="file"; filename="7.png"\r\n\r\n'),
      digitPng,
      Buffer.from("\r\n--x--\r\n"),
    ]),
  },
];

const QUESTION = "candle";
const TEXTS = ["A candle of wax", "A lamp"];

/** Forms of the dialects that the requests above do not have. */
const texts: Attack[] = [
  postJson("/rerank", { query: QUESTION, texts: TEXTS }),
  postJson("/v1/rerank", { model: "rank", query: QUESTION, documents: TEXTS }),
  postJson("/v2/rerank", { model: "rank", query: QUESTION, documents: TEXTS }),
  postJson("/models/sentiment/pipeline/text-classification", { inputs: "good" }),
  postJson("/v1/models/sentiment/versions/1:predict", { instances: ["good"] }),
  postJson("/v2/models/iris/versions/1/infer", {
    inputs: [{ name: "features", shape: [1, 4], datatype: "FP32", data: [5.1, 3.5, 1.4, 0.2] }],
  }),
];

/** A second of a tone. */
const wave = wavOf(
  new Uint8Array(Int16Array.from({ length: 16_000 }, (_, at) => 8000 * Math.sin(at / 5)).buffer),
);

/** Those of models that are not shipped. */
const others: Attack[] = [
  postJson("/embed_all", { model: "tokens", inputs: TEXTS }),
  postJson("/embed_sparse", { model: "splade-bert", inputs: TEXTS }),
  ...["/v1/models/ast-audio/predict", "/models/ast-audio/pipeline/audio-classification"].map(
    (path): Attack => ({
      kind: "a recording",
      method: "POST",
      path,
      headers: [["Content-Type", "audio/wav"]],
      body: Buffer.from(wave),
    }),
  ),
];

/** To load a model is no prediction: an edge cannot do it. */
const requests = [...validJson, ...validBinary, validCsv, ...images, ...texts].filter(
  ({ path }) => !path.endsWith("/load"),
);

/** Too large for the edge in every dialect, so that none is left out. */
const OF_EACH_DIALECT = [
  "/v1/models/iris/predict",
  "/v1/models/iris:predict",
  "/v1/models/sentiment/versions/1:predict",
  "/v2/models/iris/infer",
  "/v2/models/iris/versions/1/infer",
  "/models/sentiment/pipeline/text-classification",
  "/invocations",
  "/models/iris",
  "/v1/embeddings",
  "/v1/rerank",
  "/v2/embed",
  "/v2/rerank",
  "/rerank",
  "/embed",
  "/predict",
  "/batch_predict",
];

const FIELDS = [
  "content-type",
  "inference-header-content-length",
  "x-model-name",
  "x-model-version",
  "x-model-digest",
  "x-model-assignment",
  "x-request-id",
];

/** What an edge in workerd answers for models that are too large for it, beside what its region answers. */
export function sameThroughTheEdge(startRegion: StartTarget): void {
  let region: Target;
  let door: Served;
  let edge: Target;

  beforeAll(async () => {
    const env = { DEFAULT_MODEL: "iris", SPILL_SECRET: SECRET };
    region = await startRegion({ env });
    door = await serveFetch(region);
    const small = { SPILL_URL: door.url, SESSION_BUDGET_MB: SMALL_MB };
    edge = await targets.worker({ env: { ...env, ...small } });
    await putModels(IDENTITY);
  });
  afterAll(async () => {
    await edge.stop();
    await door.close();
    await region.stop();
  });

  async function putModels(folder: string): Promise<void> {
    for (const key of await filesOfModels(folder))
      for (const { store } of [region, edge])
        await store.put(key, await readFile(join(folder, key)));
  }

  /** Whether the region answered the edge's request. Then both answers are the same. */
  async function isSpilled(request: Attack): Promise<boolean> {
    const [through, direct] = [await send(edge, request), await send(region, request)];
    const name = `${request.path} ${request.body?.toString("latin1").slice(0, 200)}`;
    expect(through.answer.status, `${name} ${through.bytes.toString()}`).toBe(200);
    if (!through.answer.headers.has("x-nearcast-spillover")) return false;
    expect(through.bytes.equals(direct.bytes), name).toBe(true);
    for (const field of FIELDS)
      expect(through.answer.headers.get(field), `${name}: ${field}`).toBe(
        direct.answer.headers.get(field),
      );
    return true;
  }

  test("every dialect's answers have the same fields and bytes", async () => {
    const spilled: string[] = [];
    for (const request of requests)
      if (await isSpilled(request)) spilled.push(request.path.replace(/[?].*/, ""));
    expect(spilled).toEqual(expect.arrayContaining(OF_EACH_DIALECT));
  });

  test("so have vectors of tokens, sparse vectors, and what is heard", async () => {
    const folder = await mkdtemp(join(tmpdir(), "nearcast-others-"));
    try {
      await addTokens(folder);
      await addExport(folder, "splade-bert");
      await addExport(folder, "ast-audio", "audio-classification");
      await putModels(folder);
    } finally {
      await rm(folder, { recursive: true });
    }
    for (const request of others) expect(await isSpilled(request), request.path).toBe(true);
  });

  test.each(WAYS)("%s has the same tensors", async (way) => {
    const bytes = Buffer.from(Float32Array.from([5.1, 3.5, 1.4, 0.2]).buffer);
    const input = { name: "features", datatype: "FP32", shape: [1, 4], bytes } as const;
    const request = rawRequest("iris", [input], "an id");
    let spilled = false;
    const watched: Pick<Target, "fetch"> = {
      async fetch(path, init) {
        const answer = await edge.fetch(path, init);
        spilled = answer.headers.has("x-nearcast-spillover");
        return answer;
      },
    };
    const through = await clientOf(watched, way).modelInfer(request);
    expect(spilled).toBe(true);
    expect(through).toEqual(await clientOf(region, way).modelInfer(request));
  });

  test("refusals are the edge's own, and the region is not asked", async () => {
    const refused = await edge.fetch("/v1/models/iris/predict", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs: [1, 2, 3] }),
    });
    expect(refused.status).toBe(422);
    expect(refused.headers.has("x-nearcast-spillover")).toBe(false);
  });
}

async function send({ fetch }: Target, { method, path, headers, body }: Attack) {
  const answer = await fetch(path, {
    method,
    headers: [...headers, ["X-Request-Id", "same"]],
    ...(body && { body: new Uint8Array(body) }),
  });
  return { answer, bytes: Buffer.from(await answer.arrayBuffer()) };
}
