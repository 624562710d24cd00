import { runInNewContext } from "node:vm";
import { Validator } from "@seriousme/openapi-schema-validator";
import OpenAI, { AuthenticationError, PermissionDeniedError } from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import type { Target } from "../harness/targets.ts";
import { apiKey, bearer, keyList } from "./keys.ts";
import { TARGETS } from "./targets.ts";

const web = apiKey("web");
const irisOnly = apiKey("iris-only", { models: ["iris"] });

describe.each(inThisFile(TARGETS))("on %s", (_name, start) => {
  let target: Target;
  beforeAll(async () => {
    target = await start({ env: { AUTH: "", API_KEYS: keyList(web, irisOnly) } });
  });
  afterAll(() => target?.stop());

  const client = (apiKey: string) =>
    new OpenAI({
      baseURL: "http://models.test/v1",
      apiKey,
      maxRetries: 0,
      fetch: (input, init) => {
        const { pathname, search } = new URL(input instanceof Request ? input.url : input);
        return target.fetch(pathname + search, init);
      },
    });

  test("OpenAI's package sends its key, and raises its own errors", async () => {
    const embed = (key: string) =>
      client(key).embeddings.create({ model: "search", input: "red lunch bag" });
    expect((await embed(web.key)).data).toHaveLength(1);
    const refused = await embed("wrong").catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(AuthenticationError);
    expect(refused).toMatchObject({ code: "invalid_api_key", type: "invalid_request_error" });
    await expect(embed(irisOnly.key)).rejects.toBeInstanceOf(PermissionDeniedError);
    await expect(client("wrong").models.list()).rejects.toBeInstanceOf(AuthenticationError);
    expect((await client(irisOnly.key).models.list()).data.map(({ id }) => id)).toEqual(["iris"]);
  });

  const errorOf = async (path: string) =>
    (await target.fetch(path, { method: "POST", body: "{}" })).json();

  test("errors have the shape that a dialect's clients read", async () => {
    expect(await errorOf("/invocations")).toMatchObject({ error_code: "UNAUTHENTICATED" });
    expect(await errorOf("/v2/models/iris/infer")).toMatchObject({ error: expect.any(String) });
    expect(await errorOf("/v1/models/iris:predict")).toMatchObject({ error: expect.any(String) });
  });

  test("the description says how to authenticate, and where that is not needed", async () => {
    const response = await target.fetch("/openapi.json", { headers: bearer(web.key) });
    const description = (await response.json()) as {
      paths: Record<string, Record<string, { security?: object[] }>>;
      security: object[];
      components: { securitySchemes: object };
    };
    expect((await new Validator().validate({ ...description })).errors).toBeUndefined();
    expect(description.security).toEqual([{ bearer: [] }, { apiKey: [] }]);
    expect(description.components.securitySchemes).toMatchObject({
      bearer: { type: "http", scheme: "bearer" },
      apiKey: { type: "apiKey", in: "header", name: "X-API-Key" },
    });
    const open = Object.keys(description.paths).filter(
      (path) => description.paths[path]?.["get"]?.security?.length === 0,
    );
    expect(open.toSorted()).toEqual([
      "/docs",
      "/health",
      "/ping",
      "/ready",
      "/v2/health/live",
      "/v2/health/ready",
    ]);
  });

  test("the page sends the key that is entered with every request, and asks again when it changes", async () => {
    const page = await target.fetch("/docs");
    expect(page.status).toBe(200);
    expect(page.headers.get("content-security-policy")).not.toContain("script-src 'self' 'unsafe");
    expect(await page.text()).toContain('<input id="key" type="password"');

    const started = startPage(await (await target.fetch("/docs/start.js")).text());
    expect(started.openings()).toBe(0);
    started.enter(` ${web.key} `);
    const { headers } = started.request();
    expect((await target.fetch("/openapi.json", { headers })).status).toBe(200);
    started.enter("");
    expect(started.openings()).toBe(2);
    expect(started.request().headers).toEqual({});
  });
});

type Intercept = (request: { headers: Record<string, string> }) => {
  headers: Record<string, string>;
};

/** Runs the page's script with a stand-in for Swagger UI and the one field. */
function startPage(script: string) {
  let changed: (() => void) | undefined;
  let openings = 0;
  let intercept: Intercept | undefined;
  const field = {
    value: "",
    addEventListener: (_name: "change", listener: () => void) => void (changed = listener),
  };
  runInNewContext(script, {
    URL,
    document: {
      currentScript: { src: "https://models.test/docs/start.js" },
      getElementById: (id: string) => (id === "key" ? field : null),
    },
    SwaggerUIBundle(options: { url: string; requestInterceptor: Intercept }) {
      expect(options.url).toBe("https://models.test/openapi.json");
      intercept = options.requestInterceptor;
      openings += 1;
    },
  });
  return {
    enter(value: string) {
      field.value = value;
      changed?.();
    },
    request: () => intercept?.({ headers: {} }) ?? { headers: {} },
    openings: () => openings,
  };
}
