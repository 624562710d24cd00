import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import { targets, type Target } from "../harness/targets.ts";
import { apiKey, bearer, keyList } from "./keys.ts";
import { allRoutes, OPEN_CALLS } from "./routes.ts";
import { PREDICT, prediction } from "./targets.ts";

/** This is loopback, but under a name that does not show it. The server must treat it as open to everyone. */
const ANYWHERE = "::ffff:127.0.0.1";
const HEALTH = new Set([
  "/health",
  "/ready",
  "/v2/health/live",
  "/v2/health/ready",
  "/ping",
  ...OPEN_CALLS,
]);

const web = apiKey("web");

describe.each(
  inThisFile([
    ["node", targets.node, { HOST: ANYWHERE }],
    ["worker", targets.worker, {}],
    ["lambda", targets.lambda, {}],
  ] as const),
)("deployed on %s", (name, start, place: Record<string, string>) => {
  let target: Target;
  beforeAll(async () => {
    target = await start({ env: { ...place, AUTH: "" } });
  });
  afterAll(() => target?.stop());

  test("without authentication configured nothing answers but health", async () => {
    for (const { method, path } of allRoutes("iris")) {
      // Cloudflare serves these public files without the Worker.
      if (name === "worker" && /^\/docs\/(swagger-ui|playground)/.test(path)) continue;
      const headers = { ...bearer(web.key), "Content-Type": "application/json" };
      const response = await target.fetch(path, {
        method,
        headers,
        ...(method === "POST" && { body: "{}" }),
      });
      const text = await response.text();
      expect(response.status, `${method} ${path}`).toBe(HEALTH.has(path) ? 200 : 503);
      if (response.status === 503 && text.includes("requestId"))
        expect(JSON.parse(text)).toMatchObject({
          code: "authentication_not_configured",
          detail: expect.stringContaining("API_KEYS"),
        });
    }
    if (name === "node") expect(target.logs()).toContain("answers nothing but health");
  });

  const statuses = async (key: string, env: Record<string, string>) => {
    const other = await start({ env: { ...place, AUTH: "", ...env } });
    onTestFinished(other.stop);
    const status = async (path: string, init?: RequestInit) =>
      (await other.fetch(path, init)).status;
    return [await status(PREDICT, prediction(bearer(key))), await status("/health")];
  };

  test("a key that is no longer in the configuration is refused after a restart", async () => {
    const next = apiKey("web", {}, "two");
    expect(await statuses(web.key, { API_KEYS: keyList(web, next) })).toEqual([200, 200]);
    expect(await statuses(web.key, { API_KEYS: keyList(next) })).toEqual([401, 200]);
  });
});

const begin = async (env: Record<string, string>) => {
  const target = await targets.node({ env });
  onTestFinished(target.stop);
  const { status } = await target.fetch(PREDICT, prediction());
  return { status, logs: target.logs(), url: target.url };
};

describe("a Node server", () => {
  test("is open where only this machine can ask, and says so", async () => {
    const { status, logs, url } = await begin({ AUTH: "" });
    expect(status).toBe(200);
    expect(logs).toContain("It is open, and only this machine can ask");
    const elsewhere = (url ?? "").replace("localhost", "127.0.0.2");
    await expect(fetch(`${elsewhere}/health`)).rejects.toThrow("fetch failed");
  });

  test("asks for a key on loopback too where one is configured", async () => {
    const { status, logs } = await begin({ AUTH: "", API_KEYS: keyList(web) });
    expect(status).toBe(401);
    expect(logs).toContain("It asks for a key or token");
  });

  test("is open to everyone only on purpose, and says so", async () => {
    const { status, logs } = await begin({ HOST: ANYWHERE, AUTH: "none" });
    expect(status).toBe(200);
    expect(logs).toContain("It is open to everyone");
  });
});
