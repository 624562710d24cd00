import { deflateSync, gunzipSync, gzipSync, inflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import type { Target } from "../harness/targets.ts";
import { get, PLATFORMS, post } from "./platforms.ts";

const FLOWER = new Float32Array([5.1, 3.5, 1.4, 0.2]);
const flower = (more: object = {}) => ({
  name: "features",
  shape: [1, 4],
  datatype: "FP32",
  ...more,
});

describe.each(inThisFile(PLATFORMS))("on %s", (name, start) => {
  let server: Target;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.stop());

  const binary = (json: object | "", tensors: Uint8Array, headers: Record<string, string> = {}) => {
    const head = Buffer.from(json === "" ? "" : JSON.stringify(json));
    return server.fetch("/v2/models/iris/infer", {
      method: "POST",
      headers: { "Inference-Header-Content-Length": String(head.length), ...headers },
      body: Buffer.concat([head, tensors]),
    });
  };

  test("health, metadata, configuration and readiness", async () => {
    expect(await get(server, "/v2/health/live")).toEqual({
      status: 200,
      body: { live: true, ready: true },
    });
    expect((await get(server, "/v2/health/ready")).status).toBe(200);
    for (const path of ["/v2", "/v2/"])
      expect((await get(server, path)).body).toMatchObject({ name: "nearcast" });
    const metadata = {
      name: "iris",
      versions: ["1"],
      platform: "onnx_onnxv1",
      inputs: [{ name: "features", datatype: "FP32", shape: [-1, 4] }],
      outputs: [{ name: "probabilities", datatype: "FP32", shape: [-1, 3] }],
    };
    expect((await get(server, "/v2/models/iris")).body).toEqual(metadata);
    expect((await get(server, "/v2/models/iris/versions/1")).body).toEqual(metadata);
    expect((await get(server, "/v2/models/iris/versions/1/ready")).body).toEqual({
      name: "iris",
      ready: true,
    });
    expect((await get(server, "/v2/models/iris/config")).body).toMatchObject({
      input: [{ name: "features", data_type: "TYPE_FP32", dims: [-1, 4] }],
    });
  });

  test("JSON in, JSON out, with the id echoed", async () => {
    const nested = { id: "a", inputs: [flower({ data: [[5.1, 3.5, 1.4, 0.2]] })] };
    const answer = await post(server, "/v2/models/iris/infer", nested);
    expect(answer.body).toEqual({
      model_name: "iris",
      model_version: "1",
      id: "a",
      outputs: [
        { name: "probabilities", datatype: "FP32", shape: [1, 3], data: expect.any(Array) },
      ],
    });
    expect(answer.headers.get("x-model-version")).toBe("1");
  });

  test.each([0, 1, 2, 3])("binary in and out, %i bytes off alignment", async (spaces) => {
    const request = {
      inputs: [flower({ parameters: { binary_data_size: 16 } })],
      parameters: { binary_data_output: true },
      id: " ".repeat(spaces),
    };
    const response = await binary(request, bytesOf(FLOWER));
    expect(response.status).toBe(200);
    const length = Number(response.headers.get("inference-header-content-length"));
    const body = Buffer.from(await response.arrayBuffer());
    const json = JSON.parse(body.subarray(0, length).toString()) as { outputs: object[] };
    expect(json.outputs).toEqual([
      {
        name: "probabilities",
        datatype: "FP32",
        shape: [1, 3],
        parameters: { binary_data_size: 12 },
      },
    ]);
    const scores = new Float32Array(new Uint8Array(body.subarray(length)).buffer);
    expect(scores[0]).toBeGreaterThan(0.9);
  });

  test("binary and JSON mixed, an output's own wish before the request's", async () => {
    const head = Buffer.from(
      JSON.stringify({
        parameters: { binary_data_output: true },
        inputs: [
          { name: "count", shape: [1, 1], datatype: "INT64", data: ["KEEP"] },
          {
            name: "text",
            shape: [1],
            datatype: "BYTES",
            parameters: { binary_data_size: 6 },
          },
          { name: "number", shape: [1, 2], datatype: "FP32", data: [-0.5, "NaN"] },
          { name: "flag", shape: [1], datatype: "BOOL", parameters: { binary_data_size: 1 } },
        ],
        outputs: [
          { name: "text_out" },
          { name: "count_out", parameters: { binary_data: false } },
          { name: "number_out", parameters: { binary_data: false } },
          { name: "flag_out" },
        ],
      }).replace('"KEEP"', "9007199254740993"),
    );
    const response = await server.fetch("/v2/models/mixed/infer", {
      method: "POST",
      headers: { "Inference-Header-Content-Length": String(head.length) },
      body: Buffer.concat([head, Buffer.from([2, 0, 0, 0, 0x68, 0x69, 1])]),
    });
    const length = Number(response.headers.get("inference-header-content-length"));
    const body = Buffer.from(await response.arrayBuffer());
    const text = body.subarray(0, length).toString();
    expect(text).toContain('"data":[9007199254740993]');
    expect(text).toContain('"data":[-0.5,"NaN"]');
    expect([...body.subarray(length)]).toEqual([2, 0, 0, 0, 0x68, 0x69, 1]);
  });

  test("a raw body is the one input", async () => {
    const two = new Float32Array([...FLOWER, ...FLOWER]);
    const response = await binary("", bytesOf(two));
    expect(await response.json()).toMatchObject({ outputs: [{ shape: [2, 3] }] });
    expect((await binary("", bytesOf(two.subarray(0, 3)).slice(0, 12))).status).toBe(422);
  });

  test("gzip and deflate, there and back", async () => {
    const request = Buffer.from(JSON.stringify({ inputs: [flower({ data: [...FLOWER] })] }));
    for (const [coding, compress] of [
      ["gzip", gzipSync],
      ["deflate", deflateSync],
    ] as const) {
      const response = await server.fetch("/v2/models/iris/infer", {
        method: "POST",
        headers: { "Content-Encoding": coding, "Accept-Encoding": coding },
        body: compress(request),
      });
      expect(response.status).toBe(200);
      expect(await readAnyway(response)).toMatchObject({ model_name: "iris" });
    }
  });

  test("a body that is too large decompressed is refused", async () => {
    const response = await server.fetch("/v2/models/iris/infer", {
      method: "POST",
      headers: { "Content-Encoding": "gzip" },
      body: gzipSync(Buffer.alloc(2_000_001, " ")),
    });
    expect(response.status).toBe(413);
  });

  test("the repository: index, load, unload, and statistics of this instance", async () => {
    const index = await post(server, "/v2/repository/index", "");
    expect(index.body).toContainEqual({ name: "iris", version: "1", state: "READY", reason: "" });
    expect((await post(server, "/v2/repository/models/digits/load", "")).status).toBe(200);
    expect((await post(server, "/v2/repository/models/digits/unload", "")).status).toBe(200);
    const before = await stats("digits");
    const pixels = {
      name: "pixels",
      shape: [2, 1, 8, 8],
      datatype: "FP32",
      data: Array(128).fill(0),
    };
    expect((await post(server, "/v2/models/digits/infer", { inputs: [pixels] })).status).toBe(200);
    expect(await stats("digits")).toMatchObject({
      inference_count: Number(before["inference_count"]) + 2,
      execution_count: Number(before["execution_count"]) + 1,
    });
    const all = (await get(server, "/v2/models/stats")).body["model_stats"];
    expect(all).toContainEqual(await stats("digits"));
    expect(JSON.stringify(all)).not.toMatch(/"ns":\d*\./);
  });

  async function stats(model: string) {
    const { body } = await get(server, `/v2/models/${model}/stats`);
    return (body["model_stats"] as Record<string, unknown>[])[0] ?? {};
  }

  test.each<[string, number, object | string]>([
    ["shape and data length disagree", 422, { inputs: [flower({ data: [1, 2, 3] })] }],
    [
      "another shape than the model's",
      422,
      { inputs: [flower({ shape: [1, 3], data: [1, 2, 3] })] },
    ],
    ["an unknown datatype", 422, { inputs: [flower({ datatype: "FP8", data: [...FLOWER] })] }],
    [
      "another datatype than the model's",
      422,
      { inputs: [flower({ datatype: "FP64", data: [...FLOWER] })] },
    ],
    ["an unknown input", 422, { inputs: [flower({ name: "petals", data: [...FLOWER] })] }],
    [
      "an input twice",
      422,
      { inputs: [flower({ data: [...FLOWER] }), flower({ data: [...FLOWER] })] },
    ],
    [
      "an unknown output",
      422,
      { inputs: [flower({ data: [...FLOWER] })], outputs: [{ name: "y" }] },
    ],
    ["no data", 422, { inputs: [flower()] }],
    ["data of another type", 422, { inputs: [flower({ data: ["a", "b", "c", "d"] })] }],
    [
      "binary data that is not there",
      400,
      { inputs: [flower({ parameters: { binary_data_size: 16 } })] },
    ],
    ["a size like a hole in memory", 422, { inputs: [flower({ shape: [9e15, 4], data: [] })] }],
    [
      "deep nesting",
      400,
      `{"inputs":[{"name":"features","shape":[1,4],"datatype":"FP32","data":${"[".repeat(50_000)}${"]".repeat(50_000)}}]}`,
    ],
    ["no JSON", 400, "{"],
    ["no object", 422, "[]"],
  ])("%s: %i with an error that the clients read", async (_what, status, body) => {
    const answer = await post(server, "/v2/models/iris/infer", body);
    expect(answer.body).toMatchObject({ error: expect.any(String), status });
    expect(answer.status).toBe(status);
  });

  test("a parameter that would change the answer is named", async () => {
    const inputs = [flower({ data: [...FLOWER] })];
    const outputs = [{ name: "probabilities", parameters: { classification: 2 } }];
    const { status, body } = await post(server, "/v2/models/iris/infer", { inputs, outputs });
    expect(status).toBe(422);
    expect(body["error"]).toContain("outputs.0.parameters.classification is not supported");
    expect(body["error"]).not.toContain("sequence_id");
  });

  test("truncated binary, and a header beyond the body or beside it", async () => {
    const json = { inputs: [flower({ parameters: { binary_data_size: 16 } })] };
    const cases = [
      binary(json, bytesOf(FLOWER).subarray(0, 15)),
      binary(json, Buffer.concat([bytesOf(FLOWER), Buffer.from([0])])),
      binary(json, bytesOf(FLOWER), { "Inference-Header-Content-Length": "99999" }),
      binary(json, bytesOf(FLOWER), { "Inference-Header-Content-Length": "-1" }),
      binary(json, bytesOf(FLOWER), { "Content-Encoding": "gzip" }),
    ];
    for (const response of await Promise.all(cases)) {
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: expect.any(String) });
    }
    expect((await binary(json, bytesOf(FLOWER), { "Content-Encoding": "br" })).status).toBe(415);
  });

  test("an index out of range is the request's fault, and the next one is answered", async () => {
    const { status, body } = await gather(server, 7);
    expect(status).toBe(422);
    expect(body["error"]).toMatch(/with these tensors: Gather: .*idx=7/);
    expect(body["error"]).not.toMatch(/\.(?:cc|h):\d|::|ERROR_CODE/);
    expect((await gather(server, 2)).body).toMatchObject({ outputs: [{ data: [30] }] });
  });

  test("an unknown model or version", async () => {
    for (const path of ["/v2/models/none", "/v2/models/iris/versions/9", "/v2/models/none/stats"])
      expect(await get(server, path)).toMatchObject({
        status: 404,
        body: { error: expect.any(String) },
      });
  });

  test(`${name} never answered 5xx`, () => {
    expect(server.logs()).not.toMatch(/"code":"internal"/);
  });
});

/** Lambda's harness gives compressed bytes. With the others, fetch has decompressed them. */
async function readAnyway(response: Response): Promise<unknown> {
  const bytes = Buffer.from(await response.arrayBuffer());
  const coding = bytes[0] === 0x7b ? "identity" : response.headers.get("content-encoding");
  const plain =
    coding === "gzip" ? gunzipSync(bytes) : coding === "deflate" ? inflateSync(bytes) : bytes;
  return JSON.parse(plain.toString());
}

function bytesOf(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer);
}

function gather(server: Target, index: number) {
  return post(server, "/v2/models/gather/infer", {
    inputs: [{ name: "index", shape: [1], datatype: "INT64", data: [index] }],
  });
}
