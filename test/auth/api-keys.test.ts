import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import type { Target } from "../harness/targets.ts";
import { apiKey, bearer, keyList } from "./keys.ts";
import { allRoutes, OPEN_CALLS } from "./routes.ts";
import { post, PREDICT, prediction, TARGETS } from "./targets.ts";

/** The paths that answer without a key: health, and the pages on which a key is entered. */
const OPEN = new Set([
  "/",
  "/health",
  "/ready",
  "/v2/health/live",
  "/v2/health/ready",
  "/ping",
  ...OPEN_CALLS,
  "/docs",
  "/docs/start.js",
  "/docs/swagger-ui.css",
  "/docs/swagger-ui-bundle.js",
  "/docs/playground.css",
  "/docs/playground.js",
  "/playground/iris",
]);

/** The page is the same for all names, and has nothing of a model. */
const isOfModel = ({ template }: { template: string }) =>
  /^(?!\/playground).*:model/.test(template);

const full = apiKey("full", { scopes: ["predict", "read", "admin", "metrics"] });
const predictor = apiKey("predictor", { scopes: ["predict"] });
const reader = apiKey("reader", { scopes: ["read"] });
const before = apiKey("rotated", {}, "before");
const after = apiKey("rotated", { expires: "2126-01-31T12:00:00+01:00" }, "after");
const expired = apiKey("expired", { expires: "2026-01-31" });
const irisOnly = apiKey("iris-only", {
  ...full.entry,
  ...apiKey("iris-only").entry,
  models: ["iris"],
});
const chooser = apiKey("chooser", { scopes: ["override"] });
const stranger = apiKey("stranger");

const ORIGIN = "https://shop.test";
const KEYS = [full, predictor, reader, before, after, expired, irisOnly, chooser];

describe.each(inThisFile(TARGETS))("on %s", (_name, start) => {
  let target: Target;
  beforeAll(async () => {
    target = await start({
      env: { AUTH: "", API_KEYS: keyList(...KEYS), DEFAULT_MODEL: "search", CORS_ORIGINS: ORIGIN },
    });
  });
  afterAll(() => target?.stop());

  const ask = (headers: Record<string, string>) => target.fetch(PREDICT, prediction(headers));
  const get = (path: string, key: string) => target.fetch(path, { headers: bearer(key) });

  test("a key is taken as a bearer or in X-API-Key, in both halves of a rotation", async () => {
    for (const headers of [
      bearer(full.key),
      { Authorization: `bearer  ${full.key}` },
      { "X-API-Key": full.key },
      { "X-API-Key": full.key, Authorization: "Basic of-a-proxy" },
      bearer(predictor.key),
      bearer(before.key),
      bearer(after.key),
      bearer(irisOnly.key),
    ]) {
      const response = await ask(headers);
      expect(response.status, JSON.stringify(headers)).toBe(200);
      expect(await response.json()).toMatchObject({ outputs: { label: "setosa" } });
    }
  });

  test("anything else is refused with 401 and the challenge of RFC 6750", async () => {
    for (const headers of [{}, { "X-API-Key": "" }]) {
      const none = await ask(headers);
      expect(none.status).toBe(401);
      expect(none.headers.get("www-authenticate")).toBe('Bearer realm="nearcast"');
      expect(none.headers.get("content-type")).toContain("application/problem+json");
      expect(await none.json()).toMatchObject({ code: "unauthorized", status: 401 });
    }
    for (const headers of [
      bearer(stranger.key),
      bearer(expired.key),
      bearer(full.key.slice(0, -1)),
      bearer(`${full.key}x`),
      bearer(full.key.toUpperCase()),
      // The digest itself is no key.
      bearer(full.entry.sha256),
      { "X-API-Key": stranger.key, ...bearer(full.key) },
      { Authorization: "Bearer" },
      { Authorization: full.key },
      { Authorization: `Basic ${btoa(`full:${full.key}`)}` },
      bearer(`${full.key}, Bearer ${full.key}`),
      bearer("a.b.c"),
      bearer("x".repeat(4000)),
    ]) {
      const response = await ask(headers);
      expect(response.status, JSON.stringify(headers)).toBe(401);
      expect(response.headers.get("www-authenticate")).toMatch(
        /^Bearer realm="nearcast", error="invalid_token", error_description="[^"\\]+"$/,
      );
      expect(await response.text()).not.toContain(full.key);
    }
  });

  test("a page of an allowed origin may ask with a key, and read that it was refused", async () => {
    const preflight = await target.fetch(PREDICT, {
      method: "OPTIONS",
      headers: {
        Origin: ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-api-key",
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-headers")).toMatch(
      /authorization.*x-api-key/i,
    );
    const refused = await ask({ Origin: ORIGIN });
    expect(refused.status).toBe(401);
    expect(refused.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(refused.headers.get("access-control-expose-headers")).toContain("WWW-Authenticate");
  });

  test("a time-out that is no number is refused after whoever may not ask, and a page can read it", async () => {
    const late = { Origin: ORIGIN, "X-Request-Timeout-Ms": "soon" };
    const statuses = async (headers: Record<string, string>) => {
      const answers = [await ask(headers), await target.fetch("/v1/models", { headers })];
      for (const answer of answers)
        expect(answer.headers.get("access-control-allow-origin")).toBe(ORIGIN);
      return Promise.all(
        answers.map(async (answer) => [
          answer.status,
          ((await answer.json()) as { code: string }).code,
        ]),
      );
    };
    const unauthorized = [401, "unauthorized"];
    expect(await statuses(late)).toEqual([unauthorized, unauthorized]);
    expect(await statuses({ ...late, ...bearer(stranger.key) })).toEqual([
      unauthorized,
      unauthorized,
    ]);
    const malformed = [400, "malformed_request"];
    expect(await statuses({ ...late, ...bearer(full.key) })).toEqual([malformed, malformed]);
  });

  test("the log has the key's name, and the key nowhere", async () => {
    await ask(bearer(irisOnly.key));
    await ask(bearer(stranger.key));
    await expect.poll(() => target.logs()).toContain("iris-only");
    for (const { key } of [irisOnly, stranger]) expect(target.logs()).not.toContain(key);
  });

  test("a scope that is missing is 403, and says which", async () => {
    for (const [key, path, init, scope] of [
      [reader.key, PREDICT, prediction(bearer(reader.key)), "predict"],
      [predictor.key, "/v1/models", { headers: bearer(predictor.key) }, "read"],
      [before.key, "/v2/repository/models/iris/load", post("{}", bearer(before.key)), "admin"],
    ] as const) {
      const response = await target.fetch(path, init);
      expect(response.status, `${key} ${path}`).toBe(403);
      expect(response.headers.get("www-authenticate")).toBe(
        `Bearer realm="nearcast", error="insufficient_scope", scope="${scope}"`,
      );
      expect(await response.json()).toMatchObject({ code: "forbidden" });
    }
    const load = await target.fetch(
      "/v2/repository/models/iris/load",
      post("{}", bearer(full.key)),
    );
    expect(load.status).toBe(200);
  });

  test("no route answers a key whose scope is not the route's", async () => {
    // The names and versions of the service alone. Jobs and files are not on every platform: test/jobs has them.
    const others =
      /^\/(v2|version|inference\..*\/ServerMetadata)$|^\/(v1\/(jobs|batches|files)|batch-)/;
    const routes = allRoutes("iris").filter(({ path }) => !OPEN.has(path) && !others.test(path));
    expect(routes.length).toBeGreaterThan(50);
    for (const { method, path } of routes) {
      const json = { ...post("{}", bearer(chooser.key)), method };
      const response = await target.fetch(
        path,
        method === "GET" ? { headers: bearer(chooser.key) } : json,
      );
      await response.body?.cancel();
      // Where the body may name the model, the body is understood first.
      const refused = method === "GET" ? [403] : [403, 400, 422];
      expect(refused, `${method} ${path}`).toContain(response.status);
    }
  });

  test("without a key nothing answers but health and the page, by any route or method", async () => {
    for (const { method, path } of allRoutes("iris")) {
      const response = await target.fetch(path, {
        method,
        ...(method === "POST" && post("{}")),
      });
      if (OPEN.has(path)) expect(response.status, path).toBe(200);
      else expect(response.status, `${method} ${path}`).toBe(401);
      await response.body?.cancel();
    }
    for (const [method, path] of [
      ["HEAD", "/v1/models"],
      ["OPTIONS", "/v1/models"],
      ["DELETE", "/v1/models"],
      ["GET", PREDICT],
      ["GET", "/v1/models/"],
      ["GET", "//v1/models"],
      ["GET", "/health/../v1/models"],
      ["GET", "/docs/../v1/models"],
      ["GET", "/docs/%2e%2e/v1/models"],
      ["GET", "/health%2f..%2fv1/models"],
      ["GET", "/docs/anything"],
      ["GET", "/health;/v1/models"],
      ["GET", "http://localhost/v1/models"],
      ["GET", "/v1/models?path=/health"],
      ["GET", "/nothing"],
      ["POST", "/"],
    ] as const) {
      expect(await rawStatus(target, method, path), `${method} ${path}`).toBe(401);
    }
    // The landing page does not name the models.
    for (const path of ["/", "/health/.."])
      expect(await rawStatus(target, "GET", path), path).toBe(200);
    expect((await target.fetch("/nothing", { headers: bearer(full.key) })).status).toBe(404);
    const wrong = await target.fetch(PREDICT, { method: "PUT", headers: bearer(full.key) });
    expect(wrong.status).toBe(405);
    expect((await target.fetch("/health", { method: "HEAD" })).status).toBe(200);
  });

  test("a key for one model is refused another by every route", async () => {
    const modelRoutes = [
      ...allRoutes("search").filter(isOfModel),
      // A model that does not exist. The answer does not tell whether it exists.
      ...allRoutes("nothing").filter(isOfModel),
    ];
    expect(modelRoutes.length).toBeGreaterThan(40);
    for (const { method, path } of modelRoutes) {
      const body = path.startsWith("/v2/repository") ? "{}" : '{"inputs": ["x"]}';
      const init =
        method === "POST" ? post(body, bearer(irisOnly.key)) : { headers: bearer(irisOnly.key) };
      const response = await target.fetch(path, init);
      expect(response.status, `${method} ${path}`).toBe(403);
      expect(await response.text()).not.toMatch(/feature-extraction/);
    }
    const embeddings = post('{"model": "search", "input": "x"}', bearer(irisOnly.key));
    expect((await target.fetch("/v1/embeddings", embeddings)).status).toBe(403);
    const row = '{"inputs": [[5.1, 3.5, 1.4, 0.2]]}';
    const byDefault = await target.fetch("/invocations", post(row, bearer(irisOnly.key)));
    expect(byDefault.status).toBe(403);
    expect(await byDefault.json()).toMatchObject({ error_code: "PERMISSION_DENIED" });
    for (const [name, status] of [
      ["search", 403],
      ["iris", 200],
    ] as const) {
      const header = { ...bearer(irisOnly.key), "X-Amzn-SageMaker-Target-Model": name };
      const dataframe =
        '{"dataframe_split": {"columns": ["sepal_length", "sepal_width", "petal_length", "petal_width"], "data": [[5.1, 3.5, 1.4, 0.2]]}}';
      expect((await target.fetch("/invocations", post(dataframe, header))).status).toBe(status);
    }
  });

  test("its own model answers by every route, and lists have no other", async () => {
    for (const { method, path, template } of allRoutes("iris"))
      if (method === "GET" && /:model/.test(template))
        // The model has no baseline to compare with.
        expect((await get(path, irisOnly.key)).status, path).toBe(
          path.endsWith("/drift") ? 404 : 200,
        );
    for (const [path, init] of [
      [":predict", post('{"instances": [[5.1, 3.5, 1.4, 0.2]]}', bearer(irisOnly.key))],
      ["/versions/1/predict", prediction(bearer(irisOnly.key))],
    ] as const)
      expect((await target.fetch(`/v1/models/iris${path}`, init)).status, path).toBe(200);
    // Another caller has used it too, so the statistics have both.
    await target.fetch("/v1/models/diabetes/predict", prediction(bearer(full.key)));
    for (const path of ["/v1/models", "/v2/models/stats", "/openapi.json"]) {
      const response = await get(path, irisOnly.key);
      expect(response.headers.get("cache-control"), path).toBe("no-store");
      const text = await response.text();
      expect(text, path).toContain("iris");
      expect(text, path).not.toMatch(/\b(search|diabetes|digits|retail|sentiment)\b/);
      if (path !== "/v2/models/stats")
        expect(await (await get(path, full.key)).text()).toContain("diabetes");
    }
    const index = await target.fetch("/v2/repository/index", post("{}", bearer(irisOnly.key)));
    expect(await index.json()).toMatchObject([{ name: "iris" }]);
  });
});

/** The status of a path that is sent unchanged. `fetch` would clean it up. */
async function rawStatus(target: Target, method: string, path: string): Promise<number> {
  if (!target.url) return (await target.fetch(path, { method })).status;
  const { hostname, port } = new URL(target.url);
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, method, path }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.once("error", reject).end();
  });
}
