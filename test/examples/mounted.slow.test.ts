import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService, type Service } from "../../functions/service.ts";
import { asUser, curl } from "../harness/as-a-user.ts";
import {
  inProject,
  installExample,
  KEY,
  KEYS,
  post,
  startExample,
  startExampleLambda,
  startExampleWorker,
  type Example,
  type Target,
} from "./example.ts";

const PREDICT = "/v1/models/delivery/predict";
const parcel = { inputs: { kilometres: 1614, kilograms: 2.5 } };

let example: Example;
beforeAll(async () => {
  example = await installExample("mounted");
});
afterAll(() => example.remove());

test("its types are right", async () => {
  await inProject(example.folder, "typescript/bin/tsc", ["-p", "."]);
});

test("the README's commands start it, ask it, and build it for Lambda", async () => {
  const port = await startExample(example);
  const ask = example.commands.find((one) => one.startsWith("curl")) ?? "";
  expect(await curl(ask, port)).toMatchObject({ outputs: { unit: "EUR" } });
  expect(await (await fetch(`http://localhost:${port}/`)).text()).toBe("Welcome to the shop.");
  const build = example.commands.find((one) => one.includes("build lambda")) ?? "";
  const built = await asUser(build, example.folder);
  expect(built).toMatch(new RegExp(`${process.arch}\\.zip +\\d+\\.\\d MiB\n`));
  expect(built).not.toContain("Not compiled for");
});

test("in workerd, with keys", async () => {
  await check(await startExampleWorker(example.folder, KEYS));
});

test("on Lambda, with keys", async () => {
  const lambda = await startExampleLambda(example.folder, { base: "/ml", env: KEYS });
  await check(lambda);
});

async function check({ fetch, stop }: Target): Promise<void> {
  function ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("X-API-Key", KEY);
    return fetch(path, { ...init, headers });
  }
  try {
    const answer = await ask(`/ml${PREDICT}`, post(parcel, { "X-Request-Id": "order-1" }));
    expect(await answer.json()).toMatchObject({ outputs: { unit: "EUR" } });
    expect(answer.headers.get("X-Request-Id")).toBe("order-1");
    expect(answer.headers.get("X-Shop-Milliseconds")).toMatch(/^\d+$/);
    expect(answer.headers.get("X-Model-Name")).toBe("delivery");

    // The body is compressed once, whatever the shop does to the headers later.
    const description = await ask("/ml/openapi.json", { headers: { "Accept-Encoding": "gzip" } });
    expect(description.headers.get("X-Shop-Milliseconds")).toMatch(/^\d+$/);
    expect(await description.json()).toMatchObject({ servers: [{ url: "." }] });

    const refused = await fetch(`/ml${PREDICT}`, post(parcel));
    expect(refused.status).toBe(401);
    const problem = (await refused.json()) as { code: string; requestId: string };
    expect(problem.code).toBe("unauthorized");
    // The shop gave this request an id, and the error has the same.
    expect(refused.headers.get("X-Request-Id")).toBe(problem.requestId);
    expect(refused.headers.get("X-Shop-Milliseconds")).toMatch(/^\d+$/);

    for (const path of ["/ml/health", "/ml/health/", "/ml/ready", "/ml/docs"])
      expect((await fetch(path)).status, path).toBe(200);
    expect((await ask("/ml/health", { method: "HEAD" })).status).toBe(200);
    expect((await fetch("/ml/v1/models")).status).toBe(401);

    const nothing = await ask("/ml/nothing");
    expect(await nothing.json()).toMatchObject({ code: "not_found" });
    expect(nothing.headers.get("X-Shop-Milliseconds")).toMatch(/^\d+$/);
    expect(await (await ask("/ml/v1/embeddings")).json()).toMatchObject({
      error: { code: "method_not_allowed" },
    });
    expect(await (await ask("/ml/v2")).text()).toBe("The shop speaks the native API.");

    for (const path of ["/nothing", "/mlx", "/v1/models"]) {
      const outside = await fetch(path);
      expect(outside.status, path).toBe(404);
      expect(await outside.text()).toBe("The shop has no such page.");
    }
    expect(await (await fetch("/")).text()).toBe("Welcome to the shop.");
  } finally {
    await stop();
  }
}

test("in Express, which takes the path away before it calls", async () => {
  const { addModels } = (await load("src/express.ts")) as {
    addModels: (app: object, service: Service) => void;
  };
  const listeners = new Map<string, RequestListener>();
  const service = createService(
    createNodePlatform({ STORE: join(example.folder, "models"), ACCESS_LOG: "false" }),
  );
  addModels(
    { use: (path: string, listener: RequestListener) => void listeners.set(path, listener) },
    service,
  );
  const server = createServer((request, response) => {
    const { url = "/" } = request;
    const path = [...listeners.keys()].find((one) => url.startsWith(`${one}/`));
    if (path === undefined) return void response.writeHead(404).end("theirs");
    request.url = url.slice(path.length);
    response.setHeader("X-Theirs", "1");
    listeners.get(path)?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const answer = await fetch(`${origin}/ml${PREDICT}`, post(parcel));
    expect(answer.headers.get("X-Theirs")).toBe("1");
    expect(await answer.json()).toMatchObject({ outputs: { unit: "EUR" } });
    const nothing = await fetch(`${origin}/ml/nothing`);
    expect(await nothing.json()).toMatchObject({ code: "not_found" });
    expect(await (await fetch(`${origin}/other`)).text()).toBe("theirs");
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test("as a Next route handler, which gets a Request and nothing else", async () => {
  process.env["STORE"] = join(example.folder, "models");
  try {
    const route = (await load("app/api/ml/[...path]/route.ts")) as Record<
      string,
      (request: Request) => Promise<Response>
    > & { runtime: unknown };
    expect(route.runtime).toBe("nodejs");
    const url = "http://localhost:3000/api/ml";
    const answer = await route["POST"]?.(new Request(`${url}${PREDICT}`, post(parcel)));
    expect(await answer?.json()).toMatchObject({ outputs: { unit: "EUR" } });
    expect((await route["GET"]?.(new Request(`${url}/docs`)))?.status).toBe(200);
    const nothing = await route["GET"]?.(new Request(`${url}/nothing`));
    expect(await nothing?.json()).toMatchObject({ code: "not_found" });
  } finally {
    delete process.env["STORE"];
  }
});

/** A module of the installed project, as Node runs it. */
function load(path: string): Promise<unknown> {
  return import(pathToFileURL(join(example.folder, path)).href);
}
