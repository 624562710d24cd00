import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import {
  createClient,
  type Classification,
  type Client,
  type Datatype,
  type ImageInput,
  type Problem,
  type ServiceErrorCode,
} from "../../client/src/index.ts";
import type { ErrorCode, problem } from "../../functions/errors.ts";
import type { Datatype as ServiceDatatype } from "../../functions/tensor.ts";
import { apiKey, keyList } from "../auth/keys.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { shippedModels } from "../harness/models.ts";
import { targets, type Target } from "../harness/targets.ts";

interface Flower {
  sepal_length: number;
  sepal_width: number;
  petal_length: number;
  petal_width: number;
}

interface Models {
  iris: {
    input: Flower;
    output: Classification<"setosa" | "versicolor" | "virginica">;
    parameters: { top_k?: number };
  };
  digits: { input: ImageInput; output: Classification; parameters: { top_k?: number } };
}

const setosa: Flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const virginica: Flower = {
  sepal_length: 6.7,
  sepal_width: 3,
  petal_length: 5.2,
  petal_width: 2.3,
};
const { key, entry } = apiKey("page");
const slow = apiKey("slow", { rate: "1/2s" });

const [iris, digits] = ["iris", "digits"].map((name) => {
  const model = shippedModels.find(({ manifest }) => manifest.name === name);
  if (!model) throw new Error(`${name} is not shipped`);
  return model;
}) as [(typeof shippedModels)[0], (typeof shippedModels)[0]];

describe.each(inThisFile(["node", "worker"] as const))("on %s", (platform) => {
  let target: Target;
  let client: Client<Models>;
  beforeAll(async () => {
    const keys = platform === "node" ? keyList({ entry }, slow) : keyList({ entry });
    target = await targets[platform]({ env: { AUTH: "", API_KEYS: keys } });
    client = createClient<Models>(target.url ?? "", { key });
  });
  afterAll(() => target?.stop());

  test("one input gives one output, with what made it", async () => {
    const answer = await client.predict("iris", setosa, { requestId: "page-1" });
    expect(answer).toEqual({
      model: "iris",
      version: "1",
      digest: `sha256:${iris.manifest.artifact.sha256}`,
      requestId: "page-1",
      outputs: expect.objectContaining({ label: "setosa" }),
    });
    const { setosa: score } = answer.outputs.scores;
    expect(score).toBe(answer.outputs.score);
    expect((await client.predict("iris", setosa)).requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("an array of inputs gives an array", async () => {
    const { outputs } = await client.predict("iris", [setosa, virginica]);
    expect(outputs.map(({ label }) => label)).toEqual(["setosa", "virginica"]);
    expect((await client.predict("iris", [setosa])).outputs).toHaveLength(1);
  });

  test("a version and parameters are passed on", async () => {
    const { outputs } = await client.predict("iris", setosa, {
      version: "1",
      parameters: { top_k: 1 },
    });
    expect(Object.keys(outputs.scores)).toEqual(["setosa"]);
    await expect(client.predict("iris", setosa, { version: "9" })).rejects.toMatchObject({
      status: 404,
      code: "unknown_version",
    });
  });

  test("images as bytes, blobs and base64 get the same answer", async () => {
    const { input, label } = digits.heldout[0] as { input: string; label: string };
    const bytes = new Uint8Array(Buffer.from(input, "base64"));
    const blob = new Blob([bytes], { type: "image/png" });
    const { outputs } = await client.predict("digits", [bytes, blob, input]);
    expect(outputs.map((output) => output.label)).toEqual([label, label, label]);
    for (const image of [bytes, blob])
      expect((await client.predict("digits", image)).outputs).toEqual(outputs[0]);
  });

  test("a bad input says what is wrong by path", async () => {
    const inputs = [setosa, { ...setosa, sepal_width: 50 }];
    const call = client.predict("iris", inputs, { requestId: "page-2" });
    await expect(call).rejects.toMatchObject({
      name: "NearcastClientError",
      status: 422,
      code: "invalid_input",
      requestId: "page-2",
      errors: [{ path: "inputs[1].sepal_width", message: "must be at most 20 cm" }],
    });
  });

  test("an error has the trace of the call, and the hook gets it", async () => {
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const told: object[] = [];
    const traced = createClient(target.url ?? "", { key, onError: (error) => told.push(error) });
    const call = traced.predict("nope", 1, {
      requestId: "page-3",
      traceparent: `00-${traceId}-b7ad6b7169203331-01`,
    });
    const expected = { code: "unknown_model", requestId: "page-3", traceId };
    await expect(call).rejects.toMatchObject(expected);
    expect(told).toEqual([expect.objectContaining(expected)]);
  });

  test("texts become the vectors that the task gives", async () => {
    const untyped = createClient(target.url ?? "", { key });
    const { outputs } = await untyped.embed("search", ["a red lamp", "candle"]);
    expect(outputs.map(({ length }) => length)).toEqual([128, 128]);
    const same = await untyped.predict("search", "candle");
    expect((await untyped.embed("search", "candle")).outputs).toEqual(same.outputs);
    const shorter = await untyped.embed("search", "candle", { dimensions: 64 });
    expect(shorter.outputs).toHaveLength(64);
    await expect(untyped.embed("search", "candle", { dimensions: 1000 })).rejects.toMatchObject({
      errors: [expect.objectContaining({ path: "parameters.dimensions" })],
    });
  });

  test("a large file gets the answer of the picture in it", async () => {
    const picture = Uint8Array.from(atob((digits.heldout[0] as { input: string }).input), (one) =>
      one.charCodeAt(0),
    );
    // Decoders stop at the picture's end.
    const padded = (bytes: number) => new File([picture, new Uint8Array(bytes)], "a.png");
    const { outputs } = await client.predict("digits", padded(0));
    expect((await client.predict("digits", padded(2_000_000))).outputs).toEqual(outputs);
  });

  test("a missing or wrong key is a 401", async () => {
    for (const options of [{}, { key: apiKey("stranger").key }]) {
      const error = createClient(target.url ?? "", options).predict("iris", setosa);
      await expect(error).rejects.toMatchObject({ status: 401, code: "unauthorized" });
    }
  });

  test.runIf(platform === "node")("a rate is waited out", async () => {
    const statuses: number[] = [];
    const patient = createClient<Models>(target.url ?? "", {
      key: slow.key,
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        statuses.push(response.status);
        return response;
      },
    });
    const two = [patient.predict("iris", setosa), patient.predict("iris", setosa)];
    const labels = (await Promise.all(two)).map(({ outputs }) => outputs.label);
    expect(labels).toEqual(["setosa", "setosa"]);
    expect(statuses.filter((status) => status === 429)).toHaveLength(1);
  });

  test("models, one model and health", async () => {
    const models = await client.models();
    expect(models.map(({ name }) => name)).toContain("iris");
    for (const model of models)
      expect(Object.values(model).every((member) => member !== undefined)).toBe(true);
    const { features = [], labels, ...model } = await client.model("iris", { version: "1" });
    expect(labels).toEqual(["setosa", "versicolor", "virginica"]);
    expect(features[0]).toEqual(expect.objectContaining({ name: "sepal_length", unit: "cm" }));
    expect(model).toMatchObject({
      name: "iris",
      version: "1",
      versions: ["1"],
      released: "1",
      ready: true,
      task: "tabular-classification",
      inputs: [{ name: "features", datatype: "FP32", shape: [-1, 4] }],
      artifact: { sha256: iris.manifest.artifact.sha256 },
    });
    expect(await client.health()).toEqual({ status: "ok" });
  });

  test("a model that is not there is a 404", async () => {
    const untyped = createClient(target.url ?? "", { key });
    const expected = { status: 404, code: "unknown_model", errors: [] };
    await expect(untyped.predict("nope", 1)).rejects.toMatchObject(expected);
    await expect(untyped.model("nope")).rejects.toMatchObject(expected);
  });
});

test("the types of the API are the service's", () => {
  expectTypeOf<ServiceErrorCode>().toEqualTypeOf<ErrorCode>();
  expectTypeOf<Datatype>().toEqualTypeOf<ServiceDatatype>();
  expectTypeOf<ReturnType<typeof problem>>().toExtend<
    Omit<Problem, "code" | "type"> & { code: string; type: string }
  >();
});
