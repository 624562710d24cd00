import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { isChosen } from "../../functions/observe/capture/capture.ts";
import { capturedPrefix, dayOf } from "../../functions/observe/capture/captured.ts";
import {
  capturedInputs,
  capturedText,
  capturingFolder,
  EVERYTHING,
  openService,
} from "./capturing.ts";

const IRIS = [5.1, 3.5, 1.4, 0.2];
const FLOWER = {
  sepal_length: 5.12345,
  sepal_width: 3.54321,
  petal_length: 1.4,
  petal_width: 0.2,
};
const NAMED_IRIS = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };

const share = (rate: number) => ({ capture: { ...EVERYTHING, rate } });
const MLFLOW = { "X-Amzn-SageMaker-Target-Model": "iris" };

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const open = async (model: string, capture: Partial<typeof EVERYTHING> | undefined) =>
  openService(
    await capturingFolder(model, capture ? { capture: { ...EVERYTHING, ...capture } } : {}),
  );

test("without the manifest's consent nothing is captured", async () => {
  const { service, store } = await open("iris", undefined);
  await service.predict({ model: "iris", inputs: IRIS, key: "someone" });
  await service.flushCaptured();
  expect(await store.list(".captured/")).toEqual([]);
});

test("with it, what was asked and answered is captured, and nothing else", async () => {
  const { service, store, post } = await open("iris", {});
  const headers = { "X-Request-Id": "one", "X-Nearcast-Key": "customer-42" };
  await post("/v1/models/iris/predict", { inputs: [IRIS, FLOWER] }, headers);
  await post("/v1/models/iris/predict", { inputs: IRIS }, { "X-Request-Id": "two" });
  await post("/v1/models/iris/predict", { inputs: ["wrong"] });
  await service.flushCaptured();
  const [first, second, third, ...others] = await capturedInputs(store, "iris");
  const output = expect.objectContaining({ label: "setosa" }) as object;
  expect(first).toEqual({
    request_id: "one",
    row: 0,
    key: sha256("anonymous\none"),
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    model: "iris",
    version: "1",
    digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    assignment: "stable",
    subject: sha256("iris\ncustomer-42"),
    input: NAMED_IRIS,
    output,
  });
  expect(second).toMatchObject({ request_id: "one", row: 1, input: FLOWER, output });
  expect(third).toMatchObject({ request_id: "two", row: 0, input: NAMED_IRIS });
  expect(third).not.toHaveProperty("subject");
  expect(others).toEqual([]);
  const [key = ""] = await store.list(capturedPrefix("iris"));
  const [today, until] = [dayOf(Date.now()), dayOf(Date.now(), 31)];
  expect(key).toMatch(new RegExp(`^\\.captured/iris/${until}/${today}-[0-9a-f]{12}-1\\.jsonl$`));
  expect(await store.list("")).not.toContain(key);
  const models = service.registryFor({ name: "a", scopes: new Set(["read"]) }, "read");
  expect([...(await models.versions()).keys()]).toEqual(["iris"]);
});

test("every dialect is captured, and a redacted feature is not in the store", async () => {
  const redact = ["sepal_width", "sepal_length"];
  const { service, store, post } = await open("iris", { redact });
  const { manifest } = await service.resolve({ model: "iris" });
  const tensor = { name: manifest.inputs[0]?.name, shape: [1, 4], datatype: "FP32" };
  const data = Object.values(FLOWER);
  const answers = [
    await post("/v1/models/iris/predict", { inputs: FLOWER }),
    await post("/v1/models/iris/predict", { inputs: [data] }),
    await post("/v2/models/iris/infer", { inputs: [{ ...tensor, data }] }),
    await post("/v1/models/iris:predict", { instances: [FLOWER] }),
    await post("/invocations", { dataframe_records: [FLOWER] }, MLFLOW),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  await service.flushCaptured();
  expect(await capturedText(store, "iris")).not.toMatch(/sepal|5\.123|3\.543/);
  const inputs = (await capturedInputs(store, "iris")).map(({ input }) => input);
  expect(inputs).toHaveLength(5);
  const expected = {
    petal_length: expect.closeTo(1.4, 5) as number,
    petal_width: expect.closeTo(0.2, 5) as number,
  };
  for (const input of inputs) expect(input).toEqual(expected);
});

test("texts are captured, without what the manifest redacts, and without what is too large", async () => {
  const kept = await open("sentiment", { redactPatterns: ["email", "number"] });
  const text = "write to ann.b@example.org or call +49 (30) 123-4567, room 12";
  await kept.service.predict({ model: "sentiment", inputs: [text, "x".repeat(900)] });
  const many = Array<string>(300).fill("y".repeat(900));
  for (let call = 0; call < 3; call++)
    await kept.service.predict({ model: "sentiment", inputs: many.slice(0, 120) });
  await kept.service.flushCaptured();
  const lines = await capturedInputs(kept.store, "sentiment");
  expect(lines[0]?.input).toBe("write to [email] or call [number], room 12");
  // A hundred inputs of each call.
  expect(lines).toHaveLength(302);

  const hidden = await open("sentiment", { redact: ["text"] });
  await hidden.service.predict({ model: "sentiment", inputs: text });
  await hidden.service.flushCaptured();
  const [line] = await capturedInputs(hidden.store, "sentiment");
  expect(line).toMatchObject({ input: null, output: expect.anything() as unknown });
});

test("tensors and small images are captured, and large images are not", async () => {
  const { service, store, post } = await open("digits", {});
  const { manifest } = await service.resolve({ model: "digits" });
  const [input] = manifest.inputs;
  const shape = (input?.shape ?? []).map((size) => (size < 0 ? 1 : size));
  const data = Array<number>(shape.reduce((product, size) => product * size, 1)).fill(0);
  const tensor = { name: input?.name, shape, datatype: "FP32", data };
  await post("/v2/models/digits/infer", { inputs: [tensor] }, { "X-Request-Id": "tensor" });
  const [example] = manifest.examples;
  const image = Buffer.from(String(example?.input), "base64");
  await post("/v1/models/digits/predict", { inputs: example?.input }, { "X-Request-Id": "small" });
  const padded = Buffer.concat([image, Buffer.alloc(100_000)]).toString("base64");
  await post("/v1/models/digits/predict", { inputs: padded }, { "X-Request-Id": "large" });
  await service.flushCaptured();
  const lines = await capturedInputs(store, "digits");
  const byId = new Map(lines.map((line) => [line.request_id, line]));
  expect(byId.get("tensor")).toMatchObject({
    input: null,
    tensors: { [String(input?.name)]: { datatype: "FP32", shape, data } },
    output: [expect.anything()],
  });
  expect(byId.get("small")?.input).toBe(example?.input);
  const large = byId.get("large");
  expect(large).toMatchObject({ input: null, output: expect.anything() as unknown });
});

test("of many rows, the first hundred are captured, in tensors too", async () => {
  const { service, store, post } = await open("iris", {});
  const { manifest } = await service.resolve({ model: "iris" });
  const rows = 250;
  const tensor = { name: manifest.inputs[0]?.name, shape: [rows, 4], datatype: "FP32" };
  const data = Array.from({ length: rows * 4 }, (_, at) => (at % 4 === 0 ? at / 100 : 1));
  const asked = { inputs: [{ ...tensor, data }] };
  expect((await post("/v2/models/iris/infer", asked)).status).toBe(200);
  await service.flushCaptured();
  const lines = await capturedInputs(store, "iris");
  expect(lines.map(({ row }) => row)).toEqual(Array.from({ length: 100 }, (_, row) => row));
  const length = expect.closeTo(3.96, 5) as number;
  expect(lines.at(-1)?.input).toMatchObject({ sepal_length: length, petal_width: 1 });
});

test("the subject is a feature, where the manifest names one, and is kept as a digest", async () => {
  const { service, store } = await open("iris", {
    subject: "petal_width",
    redact: ["petal_width"],
  });
  await service.predict({ model: "iris", inputs: [IRIS, FLOWER], key: "not this" });
  await service.flushCaptured();
  const lines = await capturedInputs(store, "iris");
  expect(lines.map(({ subject }) => subject)).toEqual(Array(2).fill(sha256("iris\n0.2")));
  expect(lines[0]?.input).not.toHaveProperty("petal_width");
});

test("a name that no input has is refused: it might be misspelt", async () => {
  const { service } = await open("iris", { redact: ["sepal_widht"] });
  await expect(service.predict({ model: "iris", inputs: IRIS })).rejects.toMatchObject({
    code: "model_corrupt",
    cause: { message: expect.stringContaining('"sepal_widht", which is no input') as string },
  });
});

test("the share of calls is decided by the request's id, the same for all instances", async () => {
  const ids = Array.from({ length: 10_000 }, (_, index) => `request-${index}`);
  const chosen = ids.filter((id) => isChosen(id, share(0.2)));
  expect(Math.abs(chosen.length - 2000)).toBeLessThan(4 * Math.sqrt(10_000 * 0.2 * 0.8));
  expect(chosen.every((id) => isChosen(id, share(0.3)) && isChosen(id, share(1)))).toBe(true);

  const { service, store } = await open("iris", { rate: 0.2 });
  const some = ids.slice(0, 50);
  for (const id of some) await service.predict({ model: "iris", inputs: IRIS, id });
  await service.flushCaptured();
  const captured = (await capturedInputs(store, "iris")).map(({ request_id: id }) => id);
  expect(captured.toSorted()).toEqual(some.filter((id) => isChosen(id, share(0.2))).toSorted());
});
