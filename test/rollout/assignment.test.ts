import { createHash } from "node:crypto";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Hono } from "hono";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import type { CallRecord } from "../../functions/call.ts";
import type { AppEnv } from "../../functions/http/exchange.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { addExport } from "../hugging-face/export-folder.ts";
import { triedModels } from "./models.ts";

const IRIS = [5.1, 3.5, 1.4, 0.2];
const TENSOR = { name: "features", shape: [1, 4], datatype: "FP32", data: IRIS };
const GRPC_TENSOR = {
  ...TENSOR,
  shape: ["1", "4"],
  data: undefined,
  contents: { fp32Contents: IRIS },
};
const RANK = "rank-bert";
const half = {
  schema: 2,
  revision: 3,
  stable: "1",
  salt: "s",
  candidates: [{ version: "2", percent: 50 }],
};

interface Way {
  path: string;
  good: unknown;
  bad: unknown;
  headers?: object;
  /** The status of what is refused, where it is not 422. */
  refused?: number;
}

/** Every way to ask without a version in the path, with inputs that are right and wrong. */
const WAYS: Record<string, Way> = {
  native: { path: "/v1/models/iris/predict", good: { inputs: IRIS }, bad: { inputs: ["x"] } },
  "native batch": {
    path: "/v1/models/iris/predict",
    good: { inputs: [IRIS, IRIS] },
    bad: { inputs: [] },
  },
  "TensorFlow Serving": {
    path: "/v1/models/iris:predict",
    good: { instances: [IRIS] },
    bad: { instances: [["x"]] },
  },
  "Open Inference Protocol": {
    path: "/v2/models/iris/infer",
    good: { inputs: [TENSOR] },
    bad: { inputs: [{ ...TENSOR, name: "other" }] },
  },
  "gRPC, by Connect": {
    path: "/inference.GRPCInferenceService/ModelInfer",
    good: { modelName: "iris", inputs: [GRPC_TENSOR] },
    bad: { modelName: "iris", inputs: [{ ...GRPC_TENSOR, name: "other" }] },
    refused: 400,
  },
  OpenAI: {
    path: "/v1/embeddings",
    good: { model: "search", input: "a cup", user: "somebody-else" },
    bad: { model: "iris", input: "a cup" },
  },
  "TEI, without a model": {
    path: "/embed",
    good: { inputs: "a cup" },
    bad: { model: "iris", inputs: "a cup" },
  },
  "TEI's similarity": {
    path: "/similarity",
    good: { inputs: { source_sentence: "a cup", sentences: ["a mug"] } },
    bad: { model: "iris", inputs: { source_sentence: "a cup", sentences: ["a mug"] } },
  },
  "TEI's rerank": {
    path: "/rerank",
    good: { query: "a cup", texts: ["a mug", "a phone"] },
    bad: { query: "a cup", texts: ["a mug"], model: "iris" },
  },
  Jina: {
    path: "/v1/rerank",
    good: { model: RANK, query: "a cup", documents: ["a mug", "a phone"] },
    bad: { model: "iris", query: "a cup", documents: ["a mug"] },
  },
  Cohere: {
    path: "/v2/rerank",
    good: { model: RANK, query: "a cup", documents: ["a mug", "a phone"] },
    bad: { model: "iris", query: "a cup", documents: ["a mug"] },
  },
  "Hugging Face": {
    path: "/models/search",
    good: { inputs: "a cup" },
    bad: { inputs: 3 },
  },
  "tutorials' front ends": {
    path: "/predict?model=iris",
    good: { features: IRIS },
    bad: { features: ["x"] },
  },
  MLflow: {
    path: "/invocations",
    good: { inputs: [IRIS] },
    bad: { inputs: 3 },
    headers: { "X-Amzn-SageMaker-Target-Model": "iris" },
  },
};

const secrets = { plain: "p".repeat(40), tester: "t".repeat(40) };
const entry = (name: keyof typeof secrets, scopes: string[]) => ({
  name,
  scopes,
  sha256: createHash("sha256").update(secrets[name]).digest("hex"),
});
const API_KEYS = JSON.stringify([
  entry("plain", ["predict", "read"]),
  entry("tester", ["predict", "override"]),
]);

let tried: Awaited<ReturnType<typeof triedModels>>;
let open: Hono<AppEnv>;
let keyed: Hono<AppEnv>;
const records: CallRecord[] = [];

beforeAll(async () => {
  tried = await triedModels(half);
  await addExport(tried.folder, RANK, "text-ranking");
  await tryCopy(join(tried.folder, RANK));
  const env = { STORE: tried.folder, ACCESS_LOG: "false", RELEASE_TTL_SECONDS: "0" };
  const observers = [{ call: (record: CallRecord) => void records.push(record) }];
  open = createApp(createService(createNodePlatform({ ...env, CORS_ORIGINS: "*" }), { observers }));
  keyed = createApp(createService(createNodePlatform({ ...env, API_KEYS })));
});
afterAll(() => tried.remove());

/** Makes a second version that is the same, on trial. */
async function tryCopy(model: string): Promise<void> {
  await cp(join(model, "1"), join(model, "2"), { recursive: true });
  const path = join(model, "2/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...manifest, version: "2" }));
  await writeFile(join(model, "release.json"), JSON.stringify(half));
}

interface Asked {
  app?: { request: Hono["request"] };
  below?: string;
  headers?: object;
  body?: "good" | "bad";
}

async function ask(way: string, { app = open, below = "", headers, body = "good" }: Asked = {}) {
  const { path, headers: own, ...bodies } = WAYS[way] ?? { path: "", good: "", bad: "" };
  const response = await app.request(below + path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...own, ...headers },
    body: JSON.stringify(bodies[body]),
  });
  await response.arrayBuffer();
  const [version, assignment] = ["X-Model-Version", "X-Model-Assignment"].map((name) =>
    response.headers.get(name),
  );
  return { status: response.status, version, assignment };
}

const stable = { version: "1", assignment: "stable" };
const candidate = { version: "2", assignment: "candidate" };
// With salt "s", half of the keys have each.
const KEYS = { "key-1": "", "key-2": "", "key-3": "", "key-4": "", "key-5": "", "key-6": "" };

test.each(Object.keys(WAYS))("%s: a key keeps its version, and answers say it", async (way) => {
  const seen = new Set<string>();
  for (const key of Object.keys(KEYS)) {
    const headers = { "X-Nearcast-Key": key };
    const first = await ask(way, { headers });
    const native = await ask("native", { headers });
    expect(first).toEqual({ status: 200, ...(first.version === "1" ? stable : candidate) });
    expect(first).toEqual(native);
    expect(await ask(way, { headers: { ...headers, "X-Request-Id": "another" } })).toEqual(first);
    // Refused inputs had their version too.
    expect(await ask(way, { headers, body: "bad" })).toEqual({
      ...first,
      status: WAYS[way]?.refused ?? 422,
    });
    seen.add(first.version ?? "");
  }
  expect([...seen].toSorted()).toEqual(["1", "2"]);
});

test.each(Object.keys(WAYS))(
  "%s: without a key the request's id decides, mounted or not",
  async (way) => {
    const outer = new Hono().route("/ml", open);
    const seen = new Set<string>();
    for (const id of Object.keys(KEYS)) {
      const byKey = await ask(way, { headers: { "X-Nearcast-Key": id } });
      for (const app of [{}, { app: outer, below: "/ml" }]) {
        expect(await ask(way, { ...app, headers: { "X-Request-Id": id } })).toEqual(byKey);
        const empty = { "X-Request-Id": id, "X-Nearcast-Key": "" };
        expect(await ask(way, { ...app, headers: empty })).toEqual(byKey);
      }
      seen.add(byKey.version ?? "");
    }
    expect(seen.size).toBe(2);
  },
);

test.each(Object.keys(WAYS))("%s: a caller is one key, whatever the request's id", async (way) => {
  const headers = { "X-API-Key": secrets.plain };
  const byName = await ask(way, { headers: { "X-Nearcast-Key": "plain" } });
  for (const id of Object.keys(KEYS))
    expect(await ask(way, { app: keyed, headers: { ...headers, "X-Request-Id": id } })).toEqual(
      byName,
    );
});

const header = (version: string) => ({ "X-Nearcast-Version-Override": version });

test.each(Object.keys(WAYS))("%s: who has the scope chooses the version", async (way) => {
  const asTester = { "X-API-Key": secrets.tester };
  for (const version of ["1", "2"])
    expect(await ask(way, { app: keyed, headers: { ...asTester, ...header(version) } })).toEqual({
      status: 200,
      version,
      assignment: "override",
    });
  const unknown = await ask(way, { app: keyed, headers: { ...asTester, ...header("9") } });
  expect(unknown.status).toBe(404);
  const refused = await ask(way, {
    app: keyed,
    headers: { "X-API-Key": secrets.plain, ...header("2") },
  });
  expect(refused).toEqual({ status: 403, version: null, assignment: null });
});

test("a key that platforms read differently is refused", async () => {
  for (const [key, status] of [
    ["caf\u00e9", 400],
    ["caf%C3%A9", 200],
  ] as const) {
    const answer = await ask("native", { headers: { "X-Nearcast-Key": key } });
    expect(answer.status).toBe(status);
  }
});

test("a version in the path is never reassigned", async () => {
  for (const key of Object.keys(KEYS))
    for (const path of [
      "/v1/models/iris/versions/1/predict",
      "/v1/models/iris/versions/1:predict",
      "/v1/models/iris/labels/stable:predict",
      "/v2/models/iris/versions/1/infer",
    ]) {
      const body = path.startsWith("/v2")
        ? { inputs: [TENSOR] }
        : path.endsWith(":predict")
          ? { instances: [IRIS] }
          : { inputs: IRIS };
      const answer = await open.request(path, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          "X-Nearcast-Key": key,
          "X-Nearcast-Version-Override": "2",
        },
        body: JSON.stringify(body),
      });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("X-Model-Version")).toBe("1");
      expect(answer.headers.get("X-Model-Assignment")).toBe(null);
    }
});

const appOf = (folder: string) =>
  createApp(
    createService(createNodePlatform({ STORE: folder, ACCESS_LOG: "false" }), {
      observers: [{ call: (record) => void records.push(record) }],
    }),
  );

test("a candidate that cannot be read fails with its name, and at 0 % an override reaches a version", async () => {
  const none = await triedModels({ ...half, candidates: [{ version: "9", percent: 100 }] });
  const zero = await triedModels({ ...half, candidates: [{ version: "2", percent: 0 }] });
  try {
    const failed = await ask("native", { app: appOf(none.folder) });
    expect(failed).toEqual({ status: 502, version: "9", assignment: "candidate" });
    expect(records.at(-1)).toMatchObject({
      version: "9",
      reason: "candidate",
      release: { revision: 3 },
    });
    const app = appOf(zero.folder);
    expect(await ask("native", { app })).toEqual({ status: 200, ...stable });
    const headers = { "X-Nearcast-Version-Override": "2" };
    expect(await ask("native", { app, headers })).toMatchObject({
      version: "2",
      assignment: "override",
    });
  } finally {
    await Promise.all([none.remove(), zero.remove()]);
  }
});

test("pages may read the headers and send the key, and /openapi.json has them", async () => {
  const preflight = await open.request("/v1/models/iris/predict", {
    method: "OPTIONS",
    headers: { Origin: "https://page.example", "Access-Control-Request-Method": "POST" },
  });
  expect(preflight.headers.get("Access-Control-Allow-Headers")).toContain(
    "X-Nearcast-Version-Override",
  );
  const answer = await open.request("/health", { headers: { Origin: "https://page.example" } });
  expect(answer.headers.get("Access-Control-Expose-Headers")).toContain("X-Model-Assignment");
  const document = (await (await open.request("/openapi.json")).json()) as {
    paths: Record<string, { post?: { parameters?: object[]; responses: Record<string, object> } }>;
  };
  for (const path of [
    "/v1/models/iris/predict",
    "/v2/models/{model}/infer",
    "/v1/embeddings",
    "/invocations",
    "/v1/models/{model}:predict",
  ]) {
    const { parameters, responses } = document.paths[path]?.post ?? {};
    expect(parameters, path).toContainEqual({ $ref: "#/components/parameters/NearcastKey" });
    expect(responses?.["200"], path).toHaveProperty("headers.X-Model-Assignment");
    expect(responses?.["default"], path).toHaveProperty("headers.X-Model-Version");
  }
});

test("without anything on trial, a call is told no release", async () => {
  await writeFile(join(tried.folder, "table/release.json"), '{"stable":"1"}');
  const body = JSON.stringify({ inputs: [3] });
  const headers = { "Content-Type": "application/json" };
  const answer = await open.request("/v1/models/table/predict", { method: "POST", headers, body });
  expect(await answer.json()).toMatchObject({ outputs: { value: 30 } });
  expect(answer.headers.get("X-Model-Assignment")).toBe("stable");
  expect(records.at(-1)).toMatchObject({ reason: "stable", release: undefined });
});
