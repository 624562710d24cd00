import { describe, expect, onTestFinished, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import { targets } from "../harness/targets.ts";
import { apiKey, bearer, keyList } from "./keys.ts";
import { startParameterStore } from "./parameter-server.ts";
import { PREDICT, prediction } from "./targets.ts";

const NAME = "/nearcast/test/api-keys";
const web = apiKey("web");

describe.each(
  inThisFile([
    ["lambda", targets.lambda],
    ["node", targets.node],
  ] as const),
)("on %s, with API_KEYS in a parameter of Systems Manager", (name, start) => {
  async function begin(parameters: Record<string, string>) {
    const store = await startParameterStore(parameters);
    onTestFinished(store.close);
    const env = { AUTH: "", API_KEYS: `ssm:${NAME}`, AWS_ENDPOINT_URL_SSM: store.endpoint };
    return {
      store,
      start: async () => {
        const target = await start({ env });
        onTestFinished(target.stop);
        const ask = (headers: Record<string, string> = bearer(web.key)) =>
          target.fetch(PREDICT, prediction(headers));
        return { target, ask };
      },
    };
  }

  test("it is read once, decrypted, for all requests", async () => {
    const { store, start } = await begin({ [NAME]: keyList(web) });
    const { ask } = await start();
    const statuses = await Promise.all(
      [bearer(web.key), bearer("wrong"), {}, bearer(web.key)].map(async (headers) => {
        const response = await ask(headers);
        return response.status;
      }),
    );
    expect(statuses).toEqual([200, 401, 401, 200]);
    expect((await ask()).status).toBe(200);
    expect(store.requests).toEqual([
      { Name: NAME, WithDecryption: true, target: "AmazonSSM.GetParameter", signed: true },
    ]);
  });

  test("while it cannot be read the answer is 503, and the next request tries again", async () => {
    const { store, start } = await begin({ [NAME]: "[" });
    store.behave("denied");
    const { target, ask } = await start();
    for (const behaviour of ["denied", "down", "ok"] as const) {
      store.behave(behaviour);
      const response = await ask();
      expect(response.status, behaviour).toBe(503);
      expect(response.headers.get("retry-after")).toBe("5");
      const text = await response.text();
      expect(JSON.parse(text)).toMatchObject({ code: "authentication_unavailable" });
      expect(text).not.toContain(NAME);
    }
    expect((await target.fetch("/health")).status).toBe(200);
    store.parameters[NAME] = keyList(web);
    expect((await ask()).status).toBe(200);
    expect(target.logs()).not.toContain(web.entry.sha256);
  });

  test("the rate of a key that only each environment would count is told of, once", async () => {
    const { start } = await begin({ [NAME]: keyList(apiKey("shop", { rate: "3/60s" }), web) });
    const { target, ask } = await start();
    expect([(await ask()).status, (await ask()).status]).toEqual([200, 200]);
    const told = target.logs().match(/"warn".*the rates of shop .*RATE_LIMIT_TABLE or REDIS_URL/g);
    // A Node server is one process, unless somebody starts several.
    expect(told ?? []).toHaveLength(name === "lambda" ? 1 : 0);
  });

  test("without the parameter nothing is configured", async () => {
    const { store, start } = await begin({});
    const { ask } = await start();
    const response = await ask();
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: "authentication_not_configured" });
    store.parameters[NAME] = keyList(web);
    expect((await ask()).status).toBe(200);
  });

  test("a store that does not answer costs a bounded wait", async () => {
    const { store, start } = await begin({ [NAME]: keyList(web) });
    store.behave("stall");
    const { ask } = await start();
    expect((await ask()).status).toBe(503);
    store.behave("ok");
    expect((await ask()).status).toBe(200);
  });
});
