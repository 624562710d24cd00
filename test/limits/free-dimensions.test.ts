import { expect, test } from "vitest";
import { emptyStore, fixture, writePackage } from "../tasks/service.ts";
import { openService } from "./counting-service.ts";

/** A graph whose answer is the products of each number with every other: the square of what it is asked. */
const ANY = { name: "x", datatype: "FP32", shape: [-1, -1] };
const store = await emptyStore();
for (const [name, input, fields] of [
  ["free", ANY, {}],
  ["bound", { ...ANY, maxShape: [4, 3000] }, {}],
  ["frames", ANY, { batchDimension: null }],
  ["small", ANY, { limits: { elements: 100 } }],
] as const)
  await writePackage(store, {
    artifact: await fixture("graphs/products.onnx"),
    manifest: {
      name,
      task: "tensor",
      inputs: [input],
      outputs: [{ name: "products", datatype: "FP32", shape: [-1, -1] }],
      ...fields,
    },
  });

type Asked = [path: string, body: string, headers: Record<string, string>];

const FORMS: Record<string, (model: string, x: number[][]) => Asked> = {
  native: (model, x) => [`/v1/models/${model}/predict`, JSON.stringify({ inputs: { x } }), {}],
  v2: (model, x) => [
    `/v2/models/${model}/infer`,
    JSON.stringify({
      inputs: [{ name: "x", datatype: "FP32", shape: [x.length, x[0]?.length], data: x }],
    }),
    {},
  ],
  "instances of TensorFlow Serving": (model, x) => [
    `/v1/models/${model}:predict`,
    JSON.stringify({ instances: x }),
    {},
  ],
  "inputs of TensorFlow Serving": (model, x) => [
    `/v1/models/${model}:predict`,
    JSON.stringify({ inputs: x }),
    {},
  ],
  "instances of MLflow": (model, x) => [
    "/invocations",
    JSON.stringify({ instances: x }),
    { "X-Amzn-SageMaker-Target-Model": model },
  ],
  "inputs of MLflow": (model, x) => [
    "/invocations",
    JSON.stringify({ inputs: x }),
    { "X-Amzn-SageMaker-Target-Model": model },
  ],
};

const zeros = (rows: number, width: number) =>
  Array.from({ length: rows }, () => Array.from({ length: width }, () => 0));

test.each(Object.entries(FORMS))("%s: a free dimension has a bound", async (name, form) => {
  const { ask, runs } = openService({}, store);
  const refused = await ask(...form("free", zeros(1, 2049)));
  expect(refused.status).toBe(422);
  expect(JSON.stringify(refused.body)).toMatch(
    /has the shape \[1, 2049\], which is 4198401 pairs of positions \(1 × 2049²\); a request may have 4194304 \(MAX_POSITION_PAIRS, or the model's limits.positionPairs\).*maxShape in the manifest/,
  );
  expect((await ask(...form("free", zeros(17, 512)))).status).toBe(422);
  // Without a batch both dimensions are free.
  expect((await ask(...form("frames", zeros(2049, 1)))).status).toBe(422);
  const most = await ask(...form("bound", zeros(1, 3001)));
  expect(JSON.stringify(most.body)).toMatch(/at most \[4, 3000\] \(the manifest's maxShape\)/);
  expect((await ask(...form("bound", zeros(5, 10)))).status).toBe(422);
  const elements = await ask(...form("small", zeros(1, 101)));
  expect(JSON.stringify(elements.body)).toMatch(
    /inputs have 101 elements; a request may have 100 \(MAX_ELEMENTS, or the model's limits.elements\)/,
  );
  expect(runs).toEqual([]);
  expect((await ask(...form("free", [[2, 3]]))).status).toBe(
    // The answer has two rows for the one that TensorFlow Serving's clients asked with.
    name.startsWith("instances of Tensor") ? 422 : 200,
  );
});

test("a deployment sets the bound, a manifest lifts it", async () => {
  const { ask } = openService({ MAX_POSITION_PAIRS: "100" }, store);
  const status = async (model: string, width: number) => {
    const inputs = { x: zeros(1, width) };
    return (await ask(`/v1/models/${model}/predict`, JSON.stringify({ inputs }))).status;
  };
  expect(await status("free", 10)).toBe(200);
  expect(await status("free", 11)).toBe(422);
  expect(await status("bound", 50)).toBe(200);
});

test("the rows of one request have one bound together", async () => {
  const { ask, runs } = openService({}, store);
  const inputs = [{ x: zeros(1, 60) }, { x: zeros(1, 60) }];
  const { status, body } = await ask("/v1/models/small/predict", JSON.stringify({ inputs }));
  expect([status, body["detail"]]).toEqual([
    422,
    expect.stringContaining("inputs have 120 elements; a request may have 100"),
  ]);
  expect(runs).toEqual([]);
});

test.each(Object.entries(FORMS))(
  "%s: an answer of the run's size is not written",
  async (_, form) => {
    const { ask, runs } = openService({ MAX_ANSWER_BYTES: "100000" }, store);
    const { status, body } = await ask(...form("free", zeros(1, 100)));
    expect(status).toBe(507);
    expect(JSON.stringify(body)).toMatch(
      /The answer would have about 200000 bytes; at most 100000/,
    );
    expect(runs).toHaveLength(1);
  },
);

test("the answers of many runs are counted as they come", async () => {
  const { ask, runs } = openService({ MAX_ANSWER_BYTES: "100000" }, store);
  const inputs = Array.from({ length: 50 }, () => ({ x: zeros(1, 40) }));
  const { status } = await ask("/v1/models/free/predict", JSON.stringify({ inputs }));
  expect(status).toBe(507);
  // Each is 32,000 bytes.
  expect(runs).toHaveLength(4);
});
