import { createHash } from "node:crypto";
import { Hono } from "hono";
import { expect, test } from "vitest";
import { createApp } from "../functions/app.ts";
import { createNodePlatform } from "../functions/platform/node.ts";
import { createService } from "../functions/service.ts";

const KEY = "k".repeat(40);
const PAGE = "https://page.example";
const PREDICT = {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({
    inputs: { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 },
  }),
};

const common = { STORE: "models", ACCESS_LOG: "false" };
const sha256 = createHash("sha256").update(KEY).digest("hex");
const paths: string[] = [];
const open = createApp(
  createService(createNodePlatform({ ...common, CORS_ORIGINS: PAGE }), {
    observers: [{ request: ({ path }) => void paths.push(path) }],
  }),
);
const closed = createApp(
  createService(
    createNodePlatform({ ...common, API_KEYS: JSON.stringify([{ name: "web", sha256 }]) }),
  ),
);

const outer = new Hono();
outer.use(async (c, next) => {
  c.header("X-Request-Id", "theirs-1");
  c.header("Set-Cookie", "a=1");
  c.header("Set-Cookie", "b=2", { append: true });
  await next();
  c.header("X-Time", "12");
});
outer.notFound((c) => c.text("theirs", 404));
outer.get("/", (c) => c.text("home"));
outer.route("/ml", open);
outer.route("/keys/", closed);
outer.route("/deep", new Hono().route("/er", open));
outer.mount("/mount", open.fetch);

test.each(["/ml", "/deep/er"])(
  "below %s everything is where it is without an app",
  async (base) => {
    const answer = await outer.request(`${base}/v1/models/iris/predict`, PREDICT);
    expect(await answer.json()).toMatchObject({ outputs: { label: "setosa" } });
    expect((await outer.request(`${base}/v1/models`)).status).toBe(200);
    expect(await (await outer.request(`${base}x`)).text()).toBe("theirs");
    expect(paths).toContain(`${base}/v1/models/iris/predict`);
  },
);

test.each([
  ["an answer", "/ml/v1/models/iris/predict", PREDICT],
  ["an error", "/ml/v1/models/none", {}],
  ["a page", "/ml/docs", {}],
  ["a path with a slash at its end", "/ml/v2/", {}],
  ["a compressed answer", "/ml/openapi.json", { headers: { "Accept-Encoding": "gzip" } }],
  ["an answer to another origin", "/ml/v1/models", { headers: { Origin: PAGE } }],
  ["a preflight", "/ml/v1/models", preflight()],
])("%s keeps the headers of the app around it", async (_, path, init) => {
  const { headers } = await outer.request(path, init);
  expect(headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  expect(headers.get("X-Request-Id")).toBe("theirs-1");
  expect(headers.get("X-Time")).toBe("12");
  expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
});

test("an error has the id that the app around it gave the request", async () => {
  for (const path of ["/ml/v1/models/none", "/ml/v1/models/none/"]) {
    const answer = await outer.request(path);
    expect(await answer.json()).toMatchObject({ code: "unknown_model", requestId: "theirs-1" });
  }
});

test.each(["/ml", "/keys", "/mount"])("%s takes paths with a slash at their end", async (base) => {
  const headers = { "X-API-Key": KEY };
  for (const path of ["/health/", "/v2/", "/v1/models/", "/docs/"])
    expect((await outer.request(base + path, { headers })).status, path).toBe(200);
  const init = { ...PREDICT, headers: { ...PREDICT.headers, ...headers } };
  const answer = await outer.request(`${base}/v1/models/iris/predict/`, init);
  expect(await answer.json()).toMatchObject({ outputs: { label: "setosa" } });
});

test("more slashes than one are another place, not another method", async () => {
  expect((await outer.request("/ml/v2//")).status).toBe(404);
});

test("health is open where keys are asked for, and nothing else", async () => {
  for (const path of ["/keys/health", "/keys/health/", "/keys/ready", "/keys/docs"])
    expect((await outer.request(path)).status, path).toBe(200);
  for (const path of ["/keys/v1/models", "/keys/openapi.json", "/keys/nothing"]) {
    const answer = await outer.request(path);
    expect(answer.status, path).toBe(401);
    expect(await answer.json()).toMatchObject({ code: "unauthorized" });
  }
  // The other app is another service.
  expect((await outer.request("/ml/v1/models")).status).toBe(200);
});

test("errors have the shape of their path's clients", async () => {
  const openai = await outer.request("/ml/v1/embeddings");
  expect(openai.status).toBe(405);
  expect(openai.headers.get("Allow")).toBe("POST");
  expect(await openai.json()).toMatchObject({ error: { code: "method_not_allowed" } });
  const mlflow = await outer.request("/keys/v1/embeddings", { method: "POST" });
  expect(await mlflow.json()).toMatchObject({ error: { code: "invalid_api_key" } });
  const native = await outer.request("/ml/nothing");
  expect(native.headers.get("Content-Type")).toBe("application/problem+json");
});

test.each([
  ["/ml", "/ml"],
  ["/ml/", "/ml"],
  ["/deep/er", "/deep/er"],
  ["/keys/", "/keys"],
  ["/mount/", "/mount"],
  ["/ml/playground/iris", "/ml"],
  ["/ml/playground/iris/", "/ml"],
  ["/mount/playground/iris", "/mount"],
])("the page at %s leads below %s, and finds its files there", async (path, base) => {
  const answer = await outer.request(path);
  expect(answer.status).toBe(200);
  const page = await answer.text();
  const links = [...page.matchAll(/(?:href|src)="(?!data:)([^"]+)"/g)].map(
    ([, link = ""]) => new URL(link, `http://localhost${path}`),
  );
  const paths = links.map(({ pathname }) => pathname);
  for (const name of ["docs", "docs/playground.js", "docs/playground.css"])
    expect(paths).toContain(`${base}/${name}`);
  const headers = { "X-API-Key": KEY };
  for (const { href } of links)
    expect((await outer.request(href, { headers })).status, href).toBe(200);
  if (base === "/ml") expect(page).toContain("http://localhost/ml/v1/models/");
});

test("HEAD answers as GET, without a body", async () => {
  const answer = await outer.request("/ml/v1/models/iris", { method: "HEAD" });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("X-Model-Name")).toBe("iris");
  expect(await answer.text()).toBe("");
});

test("a preflight is answered for the origins of this service", async () => {
  const answer = await outer.request("/ml/v1/models/iris/predict", preflight());
  expect(answer.status).toBe(204);
  expect(answer.headers.get("Access-Control-Allow-Origin")).toBe(PAGE);
});

test("the page finds its files and the description, with a slash at its end or without", async () => {
  for (const path of ["/ml/docs", "/ml/docs/", "/mount/docs", "/mount/docs/"]) {
    const html = await (await outer.request(path)).text();
    const files = [...html.matchAll(/(?:src|href)="(?!data:)([^"]+)"/g)].map(
      ([, file = ""]) => file,
    );
    expect(files).toHaveLength(3);
    for (const file of files) {
      const url = new URL(file, `http://localhost${path}`);
      expect((await outer.request(url.href)).status, url.pathname).toBe(200);
    }
  }
  const description = (await (await outer.request("/ml/openapi.json")).json()) as {
    servers: { url: string }[];
  };
  const server = new URL(description.servers[0]?.url ?? "", "http://localhost/ml/openapi.json");
  expect(server.pathname).toBe("/ml/");
});

function preflight(): RequestInit {
  return {
    method: "OPTIONS",
    headers: { Origin: PAGE, "Access-Control-Request-Method": "POST" },
  };
}
