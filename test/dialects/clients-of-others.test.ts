import { readFile } from "node:fs/promises";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import { postSlowly } from "../harness/post-slowly.ts";
import type { Target } from "../harness/targets.ts";
import { get, PLATFORMS, post } from "./platforms.ts";

// The number of tokens that Python's tokenizers make of the texts. The last text has as many as search takes.
const COUNTED = JSON.parse(
  await readFile(new URL("../fixtures/token-counts.json", import.meta.url), "utf8"),
) as { text: string; tokens: number }[];
const fullText = COUNTED.at(-1)?.text ?? "";

const FLOWER = [5.1, 3.5, 1.4, 0.2];
const NAMED = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const setosa = expect.objectContaining({ label: "setosa" });
const probabilities = [expect.closeTo(1, 1), expect.closeTo(0, 1), expect.closeTo(0, 1)];

describe.each(inThisFile(PLATFORMS))("on %s", (_name, start) => {
  let server: Target;
  let openai: OpenAI;
  beforeAll(async () => {
    server = await start();
    openai = new OpenAI({
      apiKey: "none",
      baseURL: "http://models.test/v1",
      maxRetries: 0,
      // The function behind the client's fetch: Lambda's harness has no port of its own.
      fetch: (url, init) => {
        const { pathname, search } = new URL(url instanceof Request ? url.url : url);
        return server.fetch(pathname + search, init);
      },
    });
  });
  afterAll(() => server?.stop());

  describe("TensorFlow Serving", () => {
    test.each([":predict", "/versions/1:predict", "/labels/stable:predict"])(
      "rows to %s",
      async (suffix) => {
        const path = `/v1/models/iris${suffix}`;
        for (const instances of [[FLOWER], [NAMED], [{ features: FLOWER }]])
          expect((await post(server, path, { instances })).body).toEqual({
            predictions: [probabilities],
          });
      },
    );

    test("columns, by name and bare", async () => {
      for (const inputs of [[FLOWER, FLOWER], { features: [FLOWER, FLOWER] }])
        expect((await post(server, "/v1/models/iris:predict", { inputs })).body).toEqual({
          outputs: [probabilities, probabilities],
        });
    });

    test("several inputs and outputs are named, rows and columns", async () => {
      const row = { number: [0.5, 1], count: [2], flag: true, text: { b64: "aGk=" } };
      const answered = { number_out: [0.5, 1], count_out: [2], flag_out: true, text_out: "hi" };
      const rows = await post(server, "/v1/models/mixed:predict", { instances: [row, row] });
      expect(rows.body).toEqual({ predictions: [answered, answered] });
      // A table has a cell where the graph has [-1, 1].
      const records = await post(server, "/v1/models/mixed:predict", {
        instances: [{ ...row, count: 2 }],
      });
      expect(records.body).toEqual({ predictions: [answered] });
      const inputs = { number: [[0.5, 1]], count: [[2]], flag: [true], text: ["hi"] };
      expect((await post(server, "/v1/models/mixed:predict", { inputs })).body).toEqual({
        outputs: { number_out: [[0.5, 1]], count_out: [[2]], flag_out: [true], text_out: ["hi"] },
      });
    });

    test("a text, an image in b64, and an image as pixels", async () => {
      const text = { instances: ["I love it", { b64: "SSBsb3ZlIGl0" }] };
      const { body } = await post(server, "/v1/models/sentiment:predict", text);
      const [first, second] = body["predictions"] as number[][];
      expect(first).toEqual(second);
      const digits = (await get(server, "/v1/models/digits")).body;
      const [{ input }] = digits["examples"] as [{ input: string }];
      const pixels = Array.from({ length: 8 }, () => Array(8).fill(0) as number[]);
      for (const instance of [{ b64: input }, [pixels]])
        expect(
          (await post(server, "/v1/models/digits:predict", { instances: [instance] })).body,
        ).toEqual({ predictions: [expect.arrayContaining([expect.any(Number)])] });
    });

    test("status and metadata", async () => {
      expect((await get(server, "/v1/models/iris/versions/1")).body).toMatchObject({
        model_version_status: [
          { version: "1", state: "AVAILABLE", status: { error_code: "OK", error_message: "" } },
        ],
      });
      expect((await get(server, "/v1/models/iris/metadata")).body).toMatchObject({
        model_spec: { name: "iris", version: "1" },
        metadata: {
          signature_def: {
            signature_def: {
              serving_default: {
                inputs: {
                  features: {
                    dtype: "DT_FLOAT",
                    tensor_shape: { dim: [{ size: "-1" }, { size: "4" }] },
                  },
                },
              },
            },
          },
        },
      });
    });

    test.each<[string, number, string, unknown]>([
      ["both instances and inputs", 400, "iris", { instances: [FLOWER], inputs: [FLOWER] }],
      ["neither", 400, "iris", {}],
      ["no rows", 422, "iris", { instances: [] }],
      ["a ragged column", 422, "iris", { inputs: [FLOWER, [1]] }],
      ["a value out of range", 422, "iris", { instances: [[99, 1, 1, 1]] }],
      ["a row of other members", 422, "mixed", { instances: [{ number: [1, 2] }] }],
      ["bad base64", 422, "sentiment", { instances: [{ b64: "*" }] }],
      ["an unknown signature", 422, "iris", { signature_name: "x", instances: [FLOWER] }],
      ["too many rows", 422, "iris", { instances: Array.from({ length: 1001 }, () => FLOWER) }],
      ["an unknown model", 404, "none", { instances: [FLOWER] }],
      ["no JSON", 400, "iris", "{"],
    ])("%s is %i with its own error", async (_what, status, model, body) => {
      const answer = await post(server, `/v1/models/${model}:predict`, body);
      expect(answer).toMatchObject({ status, body: { error: expect.any(String) } });
    });

    test("an unknown label", async () => {
      expect((await post(server, "/v1/models/iris/labels/canary:predict", {})).status).toBe(404);
    });
  });

  describe("MLflow and SageMaker", () => {
    const frame = {
      columns: ["sepal_width", "sepal_length", "petal_length", "petal_width"],
      data: [[3.5, 5.1, 1.4, 0.2]],
    };
    test.each<[string, object]>([
      ["dataframe_split", { dataframe_split: frame }],
      [
        "dataframe_split by position",
        { dataframe_split: { columns: [0, 1, 2, 3], data: [FLOWER] } },
      ],
      ["dataframe_records", { dataframe_records: [NAMED] }],
      ["instances", { instances: [FLOWER] }],
      ["inputs", { inputs: [NAMED] }],
      [
        "inputs by column",
        {
          inputs: Object.fromEntries(Object.entries(NAMED).map(([name, value]) => [name, [value]])),
        },
      ],
    ])("%s", async (_form, body) => {
      expect((await post(server, "/invocations", body)).body).toEqual({ predictions: [setosa] });
    });

    test.each([
      ["sepal_width,sepal_length,petal_length,petal_width\n3.5,5.1,1.4,0.2\n", "text/csv"],
      ["5.1,3.5,1.4,0.2\r\n", "text/csv"],
      [
        '"sepal_length","sepal_width",petal_length,petal_width\n5.1,3.5,1.4,"0.2"',
        "text/csv; header=present",
      ],
    ])("CSV %j as %s", async (csv, type) => {
      const answer = await post(server, "/invocations", csv, { "Content-Type": type });
      expect(answer.body).toEqual({ predictions: [setosa] });
    });

    test("a client that takes no JSON is not answered in it", async () => {
      const refused = await askFor(server, "text/csv, application/x-npy");
      expect(refused.status).toBe(406);
      expect(await refused.json()).toEqual({
        error_code: "BAD_REQUEST",
        message: expect.stringContaining("text/csv"),
      });
      for (const accept of ["*/*", "text/csv, application/json;q=0.5", "Application/*"])
        expect((await askFor(server, accept)).status).toBe(200);
    });

    test("another model by SageMaker's header, with parameters, text and tensors", async () => {
      const text = { inputs: ["I love it"], params: { top_k: 1 } };
      expect((await post(server, "/invocations", text, targetModel("sentiment"))).body).toEqual({
        predictions: [
          {
            label: "positive",
            score: expect.any(Number),
            scores: { positive: expect.any(Number) },
          },
        ],
      });
      const tensor = { inputs: { x: [[[1, 2]]] } };
      expect((await post(server, "/invocations", tensor, targetModel("fp32"))).body).toEqual({
        predictions: [[[1, 2]]],
      });
    });

    test("ping and version", async () => {
      expect((await server.fetch("/ping")).status).toBe(200);
      expect(await (await server.fetch("/version")).text()).toMatch(/^\d+\.\d+\.\d+/);
    });

    test.each<[string, number, unknown, Record<string, string>?]>([
      ["two forms at once", 400, { instances: [FLOWER], inputs: [FLOWER] }],
      ["no form", 400, {}],
      ["an unknown column", 422, { dataframe_split: { columns: ["x"], data: [[1]] } }],
      ["rows that are no rows", 422, { instances: FLOWER }],
      ["another media type", 415, "x", { "Content-Type": "application/x-npy" }],
      [
        "an unknown model",
        404,
        { instances: [FLOWER] },
        { "X-Amzn-SageMaker-Target-Model": "none" },
      ],
      ["an open quote", 400, '"5.1', { "Content-Type": "text/csv" }],
    ])("%s is %i with its own error", async (_what, status, body, headers) => {
      const answer = await post(server, "/invocations", body, headers);
      expect(answer.status).toBe(status);
      expect(answer.body).toEqual({ error_code: expect.any(String), message: expect.any(String) });
    });

    test("MLflow 1's frame by itself is told where it belongs", async () => {
      const { body } = await post(server, "/invocations", { columns: ["a"], data: [[1]] });
      expect(body["message"]).toContain("It has columns, data.");
      expect(body["message"]).toContain("belongs under dataframe_split");
    });

    test("too large a body has its own error", async () => {
      expect(await postTooLarge(server, "/invocations")).toEqual({
        error_code: expect.any(String),
        message: expect.any(String),
      });
    });
  });

  describe("the openai package", () => {
    test("embeddings, whose base64 is the same vector", async () => {
      const request = { model: "search", input: ["a red lamp", "candle"] };
      const answer = await openai.embeddings.create(request);
      const floats = await openai.embeddings.create({ ...request, encoding_format: "float" });
      expect(answer.data.map(({ index }) => index)).toEqual([0, 1]);
      expect(answer.data[0]?.embedding.map(Math.fround)).toEqual(
        floats.data[0]?.embedding.map(Math.fround),
      );
      expect(answer.usage.prompt_tokens).toBeGreaterThanOrEqual(6);
      expect(answer.usage.total_tokens).toBe(answer.usage.prompt_tokens);
      const one = await openai.embeddings.create({ ...request, input: "candle" });
      expect(one.usage.prompt_tokens).toBeLessThan(answer.usage.prompt_tokens);
    });

    test("usage counts the tokens that Python's tokenizers makes", async () => {
      const request = { model: "search", encoding_format: "float" as const };
      for (const { text, tokens } of COUNTED) {
        const { usage } = await openai.embeddings.create({ ...request, input: text });
        expect([text, usage.prompt_tokens]).toEqual([text, tokens]);
      }
      const input = COUNTED.map(({ text }) => text);
      const total = COUNTED.reduce((sum, { tokens }) => sum + tokens, 0);
      const { usage } = await openai.embeddings.create({ ...request, input });
      expect(usage).toEqual({ prompt_tokens: total, total_tokens: total });
    });

    test("what /v1/embeddings refuses as too long, the native API cuts", async () => {
      const path = "/v1/models/search/predict";
      const { status, body } = await post(server, path, { inputs: [fullText, `${fullText} b c`] });
      expect(status).toBe(200);
      const [whole, cut] = body["outputs"] as number[][];
      expect(cut).toEqual(whole);
    });

    test("fewer dimensions have length one", async () => {
      const request = { model: "search", input: "a red lamp", encoding_format: "float" as const };
      const { data } = await openai.embeddings.create({ ...request, dimensions: 8 });
      expect(data[0]?.embedding).toHaveLength(8);
      expect(Math.hypot(...(data[0]?.embedding ?? []))).toBeCloseTo(1, 5);
    });

    test("models are listed and described", async () => {
      const listed = [];
      for await (const model of openai.models.list()) listed.push(model.id);
      expect(listed).toEqual(expect.arrayContaining(["iris", "search", "sentiment"]));
      expect(await openai.models.retrieve("iris")).toMatchObject({ id: "iris", object: "model" });
    });

    test.each<[string, object, object]>([
      [
        "an unknown model",
        { model: "none" },
        { status: 404, code: "model_not_found", param: "model" },
      ],
      ["a model without vectors", { model: "iris" }, { status: 422, param: "model" }],
      ["token ids", { input: [1, 2] }, { status: 422, param: "input" }],
      ["too many dimensions", { dimensions: 100_000 }, { status: 422, param: "dimensions" }],
      ["a text over the limit", { input: "x".repeat(100_001) }, { status: 422, param: "input[0]" }],
      [
        "a text with a token over the limit",
        { input: ["candle", `${fullText} a`] },
        {
          status: 422,
          param: "input[1]",
          message: expect.stringContaining("must have at most 128 tokens, has 129"),
        },
      ],
      [
        "two texts over the limit, of which the first ends the work",
        { input: [`${fullText} a`, `${fullText} a`] },
        { status: 422, param: "input[0]", message: expect.not.stringContaining("more)") },
      ],
      ["no text", { input: [] }, { status: 422, param: "input" }],
      ["an unknown member", { stream: true }, { status: 422 }],
    ])("%s is an APIError", async (_what, change, error) => {
      const request = { model: "search", input: "x", ...change } as OpenAI.EmbeddingCreateParams;
      await expect(openai.embeddings.create(request)).rejects.toMatchObject({
        ...error,
        type: "invalid_request_error",
      });
    });

    test("too large a body has its shape too", async () => {
      expect(await postTooLarge(server, "/v1/embeddings")).toMatchObject({
        error: { message: expect.any(String) },
      });
    });
  });

  test("the shared routes have the members of every protocol", async () => {
    expect((await get(server, "/v1/models")).body).toMatchObject({
      models: expect.arrayContaining([expect.objectContaining({ name: "iris", versions: ["1"] })]),
      object: "list",
      data: expect.arrayContaining([expect.objectContaining({ id: "iris", object: "model" })]),
    });
    expect((await get(server, "/v1/models/iris")).body).toMatchObject({
      name: "iris",
      ready: true,
      id: "iris",
      object: "model",
      task: "tabular-classification",
      model_version_status: [{ version: "1", state: "AVAILABLE" }],
    });
    const native = await post(server, "/v1/models/iris/predict", { inputs: NAMED });
    expect(native.body).toMatchObject({ outputs: setosa });
  });
});

function askFor({ fetch }: Target, accept: string): Promise<Response> {
  return fetch("/invocations", {
    method: "POST",
    headers: { "content-type": "application/json", accept, ...targetModel("iris") },
    body: JSON.stringify({ instances: [FLOWER] }),
  });
}

function targetModel(model: string) {
  return { "X-Amzn-SageMaker-Target-Model": model };
}

/** Uses its own connection where there are connections: a server may close one whose body it has not read. */
async function postTooLarge({ url, fetch }: Target, path: string): Promise<unknown> {
  const size = 2_000_001;
  const response = url
    ? await postSlowly(new URL(path, url), { "Content-Length": size }, [])
    : await fetch(path, { method: "POST", body: " ".repeat(size) });
  expect(response.status).toBe(413);
  return response.json();
}
