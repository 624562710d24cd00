import { expect, test } from "vitest";
import { apiKey, keyList } from "../auth/keys.ts";
import { predict, send } from "./requests.ts";
import { inOneWindow, start } from "./worker-windows.ts";

const from = (address: string) => ({ "CF-Connecting-IP": address });

test("a batch takes its rows; addresses and models each have their own", async () => {
  const options = {
    env: { RATE_LIMIT: "10/60s", MODEL_RATE_LIMIT: "14/60s" },
    rateLimits: {
      RATE_LIMIT_10_60: { limit: 10, period: 60 as const },
      RATE_LIMIT_14_60: { limit: 14, period: 60 as const },
    },
  };
  const { answer, refused, another, byModel, never, otherModel } = await inOneWindow(
    options,
    async (target) => ({
      answer: await predict(target, 8, from("192.0.2.1")),
      refused: await predict(target, 3, from("192.0.2.1")),
      another: await predict(target, 6, from("192.0.2.2")),
      byModel: await predict(target, 1, from("192.0.2.3")),
      never: await predict(target, 11, from("192.0.2.4")),
      otherModel: await send(
        target,
        "/v1/models/sentiment/predict",
        { inputs: "Great phone." },
        from("192.0.2.4"),
      ),
    }),
  );
  expect(answer.status).toBe(200);
  expect(answer.headers.get("ratelimit-policy")).toBe('"caller";q=10;w=60');
  // The binding does not tell how much is left.
  expect(answer.headers.get("ratelimit")).toBeNull();
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "60"]);
  expect(another.status).toBe(200);
  expect([byModel.status, byModel.headers.get("ratelimit-policy")]).toEqual([
    429,
    '"model";q=14;w=60',
  ]);
  expect(never.body["detail"]).toContain("it can never pass");
  expect(otherModel.status).toBe(200);
});

test.each([
  [
    { RATE_LIMIT: "100/60s" },
    /name = \W*RATE_LIMIT_100_60[^]*simple = \{ limit = 100, period = 60 \}/,
  ],
  [{ RATE_LIMIT: "100/30s" }, /seconds must be 10 or 60/],
  [
    { API_KEYS: keyList(apiKey("web", { rate: "7/10s" })), AUTH: "" },
    /name = \W*RATE_LIMIT_7_10[^]*simple = \{ limit = 7, period = 10 \}/,
  ],
])("a rate without its binding is refused at the start, with what to do: %j", async (env, log) => {
  await expect(async () => {
    const target = await start({ env });
    const answer = await target.fetch("/health");
    throw new Error(await answer.text());
  }).rejects.toThrow(log);
});
