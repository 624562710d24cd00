import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createApp } from "../../functions/app.ts";
import type { CallRecord } from "../../functions/call.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import {
  deployEdge,
  exampleOf,
  SECRET,
  served,
  serveRegion,
  SMALL_MB,
  useServed,
} from "./deployments.ts";

type App = ReturnType<typeof deployEdge>;

const KEPT = { PREDICTION_CACHE_TTL_SECONDS: "60" };
const keep = useServed();

interface Init {
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

async function ask(app: App, path: string, body: unknown, init: Init = {}) {
  const headers = { "Content-Type": "application/json", ...init.headers };
  return app.request(path, { method: "POST", ...init, headers, body: JSON.stringify(body) });
}

/** An edge, the errors that its observers are told, and those that it logs. */
function watched(SPILL_URL: string) {
  const told: (string | undefined)[] = [];
  const logged: unknown[] = [];
  const call = ({ error }: CallRecord) => void told.push(error?.code);
  const spills = { SPILL_URL, SPILL_SECRET: SECRET, SESSION_BUDGET_MB: SMALL_MB };
  const env = { STORE: "models", AUTH: "none", ACCESS_LOG: "false", ...spills, ...KEPT };
  const log = ({ code }: Record<string, unknown>) => void logged.push(code);
  const platform = { ...createNodePlatform(env), log };
  const edge = createApp(createService(platform, { observers: [{ call }] }));
  return { told, logged, edge };
}

const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;
const flower = async () => ({ inputs: (await exampleOf("iris")).input });
const PATH = "/v1/models/iris/predict";

test("a deployment names itself, whoever answers for it", async () => {
  const url = await keep(serveRegion({ DEPLOYMENT_ID: "region" }));
  const edge = deployEdge(url, { DEPLOYMENT_ID: "edge", ...KEPT });
  for (let turn = 0; turn < 2; turn++) {
    const answer = await ask(edge, PATH, await flower());
    expect(answer.headers.get("x-nearcast-spillover")).toBe("region");
    expect(answer.headers.get("x-deployment-id")).toBe("edge");
  }
  const unnamed = await ask(deployEdge(url), PATH, await flower());
  expect(unnamed.headers.has("x-deployment-id")).toBe(false);
});

test("an answer that names its request is kept for nobody else", async () => {
  const edge = deployEdge(await keep(serveRegion()), KEPT);
  const body = { model: "search", texts: ["a text"], input_type: "classification" };
  const embed = async (id: string) => {
    const answer = await ask(edge, "/v2/embed", body, { headers: { "X-Request-Id": id } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-nearcast-spillover")).toBe("region");
    return ((await answer.json()) as { id: string }).id;
  };
  expect([await embed("first"), await embed("second")]).toEqual(["first", "second"]);
});

async function digestOfIris() {
  const manifest = JSON.parse(await readFile("models/iris/1/model.json", "utf8")) as {
    artifact: { sha256: string };
  };
  return `sha256:${manifest.artifact.sha256}`;
}

test("an answer that was compressed on its way is passed on, and not kept: its length is another", async () => {
  const fields = { "X-Model-Digest": await digestOfIris(), "Content-Encoding": "gzip" };
  const body = gzipSync("{}");
  const region = served((_request, response) => {
    response.writeHead(200, { ...fields, "Content-Length": body.byteLength });
    response.end(body);
  });
  const edge = deployEdge(await keep(region), KEPT);
  for (let turn = 0; turn < 2; turn++) {
    const answer = await ask(edge, PATH, await flower());
    expect(await answer.text()).toBe("{}");
    expect(answer.headers.get("cache-status")).toBe("nearcast; fwd=request");
  }
});

/** A region that sends a part of an answer of the released iris. */
async function partly(then: "hangs" | "ends") {
  const digest = await digestOfIris();
  return keep(
    served((_request, response) => {
      response.writeHead(200, { "X-Model-Digest": digest, "Content-Length": 100 });
      response.write("{", () => (then === "ends" ? response.destroy() : undefined));
    }),
  );
}

describe("a region whose answer does not arrive whole", () => {
  test("is not available", async () => {
    const { edge, told, logged } = watched(await partly("ends"));
    const answer = await ask(edge, PATH, await flower());
    expect([answer.status, await codeOf(answer)]).toEqual([503, "region_unavailable"]);
    expect([told, logged]).toEqual([["region_unavailable"], ["region_unavailable"]]);
  });

  test("by the deadline is late, and no other failure", async () => {
    const { edge, told, logged } = watched(await partly("hangs"));
    const headers = { "X-Request-Timeout-Ms": "300" };
    const answer = await ask(edge, PATH, await flower(), { headers });
    expect([answer.status, await codeOf(answer)]).toEqual([504, "deadline_exceeded"]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([told, logged]).toEqual([["deadline_exceeded"], []]);
  });

  test("before the client went away is nobody's failure", async () => {
    const { edge, told, logged } = watched(await partly("hangs"));
    const client = new AbortController();
    onTestFinished(() => void vi.restoreAllMocks());
    const real = fetch;
    vi.spyOn(globalThis, "fetch").mockImplementation(async (...sent) => {
      const begun = await real(...sent);
      client.abort();
      return begun;
    });
    const answer = await ask(edge, PATH, await flower(), { signal: client.signal });
    expect(await codeOf(answer)).toBe("client_closed_request");
    expect([told, logged]).toEqual([["client_closed_request"], []]);
  });
});
