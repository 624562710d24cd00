import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { costOf } from "../../functions/limits/cost.ts";
import { openService } from "./counting-service.ts";

const models = join(import.meta.dirname, "../../models");
const IRIS = [5.1, 3.5, 1.4, 0.2];
const KIB = 1024;

test("a call costs its rows, or what its tokens, pixels or bytes need, whichever is most", () => {
  expect(costOf({ rows: 0 })).toBe(1);
  expect(costOf({ rows: 1, tokens: 512, pixels: 1_000_000, bytes: 256 * KIB })).toBe(1);
  expect(costOf({ rows: 1, tokens: 513 })).toBe(2);
  expect(costOf({ rows: 1, pixels: 12_000_001 })).toBe(13);
  expect(costOf({ rows: 1, bytes: 6 * 1024 * KIB })).toBe(24);
  expect(costOf({ rows: 10, tokens: 10 * 128, pixels: 5, bytes: 300 * KIB })).toBe(10);
});

test("record and log say what a call was made of, and the headers what is left", async () => {
  const { ask, calls, logs } = openService({ RATE_LIMIT: "100/60s" });
  const left = async (path: string, body: unknown) => {
    const { status, headers } = await ask(path, JSON.stringify(body));
    expect(status).toBe(200);
    return headers.get("ratelimit")?.replace(/;t=\d+/, "");
  };
  const logged = () => logs.findLast(({ message }) => message === "request");

  expect(await left("/v1/models/iris/predict", { inputs: IRIS })).toBe('"caller";r=99');
  const iris = { rows: 1, tokens: undefined, pixels: undefined, cost: 1 };
  expect(calls.at(-1)).toMatchObject({ ...iris, bytes: 28 });
  expect(logged()).toMatchObject({ ...iris, bytes: 28 });

  const texts = Array.from({ length: 3 }, () => "word ".repeat(1000));
  expect(await left("/v1/models/search/predict", { inputs: texts })).toBe('"caller";r=96');
  expect(calls.at(-1)).toMatchObject({ rows: 3, tokens: 3 * 128, cost: 3 });
  expect(logged()).toMatchObject({ rows: 3, tokens: 3 * 128, cost: 3 });

  // A long text is one row for a graph that splits it itself, and its bytes count.
  const long = Array.from({ length: 6 }, () => "x".repeat(99_000));
  expect(await left("/v1/models/sentiment/predict", { inputs: long })).toBe('"caller";r=90');
  const large = Array.from({ length: 6 }, () => "é".repeat(99_000));
  expect(await left("/v1/models/sentiment/predict", { inputs: large })).toBe('"caller";r=84');
});

test("an image costs its pixels", async () => {
  const { ask, calls } = openService({ RATE_LIMIT: "100/60s" });
  const seven = await readFile(join(models, "digits/seven.png"));
  const { status } = await ask("/v1/models/digits/predict", new Uint8Array(seven), {
    "Content-Type": "image/png",
  });
  expect(status).toBe(200);
  const { pixels, cost, rows } = calls.at(-1) ?? {};
  expect([rows, cost]).toEqual([1, 1]);
  expect(pixels).toBeGreaterThanOrEqual(64);
});

test("what a body costs beyond its rows is charged before the model runs", async () => {
  const { ask, runs, calls } = openService({ RATE_LIMIT: "3/60s" });
  // One row of features, and a long name that nobody asked for.
  const body = JSON.stringify({
    id: "x".repeat(4 * 256 * KIB),
    inputs: [{ name: "features", shape: [1, 4], datatype: "FP32", data: IRIS }],
  });
  const refused = await ask("/v2/models/iris/infer", body);
  expect([refused.status, refused.body["code"]]).toEqual([429, "rate_limited"]);
  expect(refused.body["detail"]).toMatch(
    /3 units in 60 s, and this request costs 5 \(1 row, \d+ bytes\): it can never pass/,
  );
  expect(runs).toEqual([]);
  expect(calls.at(-1)).toMatchObject({ rows: 1, cost: 5, executed: false });
});

test("the tokens of texts are charged once they are known", async () => {
  const { ask, runs } = openService({ MODEL_RATE_LIMIT: "4/60s" });
  const inputs = Array.from({ length: 3 }, () => "a few words");
  const first = await ask("/v1/models/search/predict", JSON.stringify({ inputs }));
  expect(first.status).toBe(200);
  const second = await ask("/v1/models/search/predict", JSON.stringify({ inputs }));
  expect(second.status).toBe(429);
  expect(second.headers.get("ratelimit")).toMatch(/^"model";r=1;/);
  expect(runs).toHaveLength(1);
});
