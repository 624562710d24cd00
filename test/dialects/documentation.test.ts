import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { Validator } from "@seriousme/openapi-schema-validator";
import { hc } from "hono/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp, type NativeApi } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import type { Target } from "../harness/targets.ts";
import { withVerb } from "../auth/routes.ts";
import { get, PLATFORMS } from "./platforms.ts";

interface Description {
  openapi: string;
  paths: Record<string, Record<string, { requestBody?: { content: Record<string, Content> } }>>;
  components: { schemas: Record<string, object> };
}
interface Content {
  schema: object;
  example?: unknown;
}

describe.each(inThisFile(PLATFORMS))("on %s", (name, start) => {
  let server: Target;
  let description: Description;
  beforeAll(async () => {
    server = await start();
    description = (await get(server, "/openapi.json")).body as unknown as Description;
  });
  afterAll(() => server?.stop());

  test("the description is valid OpenAPI 3.1", async () => {
    const { valid, errors } = await new Validator().validate({ ...description });
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(description.openapi).toBe("3.1.0");
  });

  test("iris shows its features with units and ranges, its labels and a worked example", async () => {
    expect(description.components.schemas["iris.input"]).toMatchObject({
      properties: {
        petal_width: { type: "number", minimum: 0, maximum: 20, "x-unit": "cm" },
      },
      required: ["sepal_length", "sepal_width", "petal_length", "petal_width"],
    });
    expect(description.components.schemas["iris.output"]).toMatchObject({
      properties: { label: { enum: ["setosa", "versicolor", "virginica"] } },
    });
    const path = "/v1/models/iris/predict";
    const example = description.paths[path]?.["post"]?.requestBody?.content["application/json"];
    const response = await server.fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(example?.example),
    });
    expect(await response.json()).toMatchObject({ outputs: { label: "setosa" } });
  });

  test("every described GET is there", async () => {
    for (const path of Object.keys(description.paths).filter(
      (path) => description.paths[path]?.["get"],
    )) {
      const filled = path
        .replace("{model}", "iris")
        .replace("{version}", "1")
        .replace("{file}", "model.onnx")
        .replace("{label}", "stable");
      // The model has no baseline to compare with, and there is no job, batch, file or task.
      const status =
        path.endsWith("/drift") || /^\/(v1\/(jobs|batches|files)|batch-result)\//.test(path)
          ? 404
          : 200;
      expect((await server.fetch(filled)).status, path).toBe(status);
    }
  });

  test("the page loads only what the app serves, under a strict policy", async () => {
    const page = await server.fetch("/docs");
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("script-src 'self' 'unsafe");
    const links = [...(await page.text()).matchAll(/(?:src|href)="(?!data:)([^"]+)"/g)].map(
      ([, link]) => link,
    );
    expect(links).toEqual(["docs/swagger-ui.css", "docs/swagger-ui-bundle.js", "docs/start.js"]);
    for (const link of links) {
      const asset = await server.fetch(`/${link}`);
      expect(asset.status, link).toBe(200);
      const [, file = ""] = /^docs\/(swagger.*)$/.exec(link ?? "") ?? [];
      const bytes = Buffer.from(await asset.arrayBuffer());
      if (file) {
        const path = createRequire(import.meta.url).resolve(`swagger-ui-dist/${file}`);
        expect(bytes.equals(await readFile(path)), `${file} on ${name}`).toBe(true);
      }
    }
    expect((await server.fetch("/docs/package.json")).status).toBe(404);
  });

  test("hono/client knows the routes and their bodies", async () => {
    const client = hc<NativeApi>("http://models.test", {
      fetch: (input: RequestInfo | URL, init?: RequestInit) =>
        server.fetch(new URL(input instanceof Request ? input.url : input).pathname, init),
    });
    const response = await client.v1.models[":model"].predict.$post({
      param: { model: "iris" },
      json: { inputs: [5.1, 3.5, 1.4, 0.2] },
    });
    const answer = await response.json();
    expect(answer.version satisfies string).toBe("1");
    const refused = await client.v1.models[":model"].predict.$post({
      param: { model: "iris" },
      // @ts-expect-error A prediction needs inputs.
      json: {},
    });
    expect(refused.status).toBe(422);
    // Members that a dialect adds are not in the types.
    const list = await (await client.v1.models.$get()).json();
    const { data } = list as unknown as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toContain("iris");
  });
});

test("every route of the app is described, and nothing else", async () => {
  const app = createApp(createService(createNodePlatform({ STORE: "models" })));
  const { paths } = (await (await app.request("/openapi.json")).json()) as Description;
  const described = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${ofAnyModel(path)}`),
  );
  const routed = app.routes
    .filter(({ method, path }) => method !== "ALL" && !PARTS_OF_THE_PAGE.has(path))
    .map(({ method, path }) => `${method} ${templateOf(withVerb(method, path))}`);
  // Hono routes this path as a model: see functions/dialects/open-inference/describe.ts.
  const expected = new Set([...routed, "GET /v2/models/stats"]);
  expect([...new Set(described)].sort()).toEqual([...expected].sort());
});

const PARTS_OF_THE_PAGE = new Set([
  "/",
  "/docs/start.js",
  "/docs/swagger-ui.css",
  "/docs/swagger-ui-bundle.js",
  "/docs/playground.css",
  "/docs/playground.js",
  "/playground/:model",
]);

/** Each released model has its own predict path, with its schema. */
function ofAnyModel(path: string): string {
  return path.replace(/^\/v1\/models\/[^{/]+\/predict$/, "/v1/models/{model}/predict");
}

/** A Hono route in OpenAPI's notation. */
function templateOf(path: string): string {
  return path.replaceAll(/\/:(\w+)/g, "/{$1}");
}
