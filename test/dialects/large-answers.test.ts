import { rawNumber, writeJson } from "../../functions/wire/raw-number.ts";
import { expect, test } from "vitest";
import { jsonPieces, TensorJson } from "../../functions/wire/json-pieces.ts";
import type { Tensor } from "../../functions/tensor.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { createApp } from "../../functions/app.ts";
import { openService } from "../limits/counting-service.ts";
import { tokens } from "../limits/token-requests.ts";
import { join } from "node:path";

const written = (value: unknown) => [...jsonPieces(value)].join("");

const odd = [0, -0, NaN, Infinity, -Infinity, 0.1, 1e300];

test("pieces are the JSON that is written at once", () => {
  const numbers = Array.from({ length: 20_001 }, (_, index) => index / 3);
  for (const value of [
    null,
    1,
    "text",
    [],
    {},
    [[]],
    { a: undefined, b: null },
    numbers,
    {
      outputs: [numbers, numbers],
      model: "a",
      more: [{ label: "x", scores: { x: 1 } }, "y", null],
    },
    [rawNumber("9007199254740993"), { n: rawNumber("-0.0") }],
  ])
    expect(written(value)).toBe(writeJson(value));
  expect(written([-0, { a: -0 }, [-0, 1]])).toBe('[-0.0,{"a":-0.0},[-0.0,1]]');
});

test.each([
  [[]],
  [[7]],
  [[1, 7]],
  [[7, 1]],
  [[3, 0, 2]],
  [[2, 9000]],
  [[20_000, 2]],
  [[2, 2, 5000]],
])("a tensor of the shape %j is written as at once, flat and nested", (shape) => {
  const count = shape.reduce((product, size) => product * size, 1);
  const data = Float64Array.from({ length: count }, (_, index) => odd[index % odd.length] ?? 0);
  const texts = Array.from({ length: count }, (_, index) => `é "${index}"`);
  const long = BigInt64Array.from({ length: count }, (_, index) => 2n ** 60n + BigInt(index));
  for (const tensor of [
    { datatype: "FP64", shape, data },
    { datatype: "BYTES", shape, data: texts },
    { datatype: "INT64", shape, data: long },
    { datatype: "BOOL", shape, data: new Uint8Array(count) },
  ] satisfies Tensor[])
    for (const form of ["flat", "nested"] as const) {
      const value = { data: new TensorJson(tensor, form) };
      expect(written(value)).toBe(writeJson(value));
    }
});

test("while a large answer is written, others get their turns", async () => {
  const platform = createNodePlatform({ STORE: join(import.meta.dirname, "../../models") });
  let turns = 0;
  const app = createApp(
    createService({
      ...platform,
      log: () => undefined,
      turnEventLoop() {
        turns += 1;
        return platform.turnEventLoop?.() ?? Promise.resolve();
      },
    }),
  );
  const asked = async (rows: number) => {
    const [path, body] = tokens("v2", rows, 128);
    turns = 0;
    const headers = { "Content-Type": "application/json" };
    const answer = await app.request(path, { method: "POST", headers, body });
    expect(answer.status).toBe(200);
    return (await answer.arrayBuffer()).byteLength;
  };
  await asked(1);
  await asked(1);
  const few = turns;
  const bytes = await asked(50);
  expect(turns - few).toBeGreaterThanOrEqual(Math.floor(bytes / 200_000));
});

test("each dialect's large answers are whole", async () => {
  const { ask } = openService();
  for (const form of ["v2", "instances of TensorFlow Serving", "inputs of MLflow"]) {
    const { status, body } = await ask(...tokens(form, 40, 128));
    expect(status).toBe(200);
    const [answer] = Object.values(body).filter(Array.isArray) as unknown[][][];
    const [first] = answer as unknown as [{ data?: number[] }];
    expect((first.data ?? answer ?? []).flat(2)).toHaveLength(40 * 128 * 128);
  }
  const baskets = Array.from({ length: 300 }, () => ["85123A"]);
  const { body } = await ask(
    "/v1/models/retail/predict",
    JSON.stringify({ inputs: baskets, parameters: { top_k: 20 } }),
  );
  const one = await ask(
    "/v1/models/retail/predict",
    JSON.stringify({ inputs: ["85123A"], parameters: { top_k: 20 } }),
  );
  expect(body["outputs"]).toEqual(baskets.map(() => one.body["outputs"]));
});
