import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectClose } from "../harness/close.ts";
import { shippedModels } from "../harness/models.ts";
import type { StartTarget, Target } from "../harness/targets.ts";
import { postSlowly } from "../harness/post-slowly.ts";
import { encodePng, jpegOfDigit } from "../harness/images.ts";

const iris = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const irisByPosition = [5.1, 3.5, 1.4, 0.2];

interface Answer {
  model: string;
  version: string;
  outputs: unknown;
}

interface Scored {
  label: string;
  score: number;
  scores: Record<string, number>;
}

/** The cases that every runtime must answer alike; `tolerance` is for scores against the manifest's. */
export function conformance(start: StartTarget, tolerance: number, { clock = true } = {}): void {
  let target: Target;
  beforeAll(async () => {
    target = await start();
  });
  afterAll(() => target.stop());

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    target.fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });

  async function predict(model: string, body: unknown): Promise<Answer> {
    const response = await post(`/v1/models/${model}/predict`, body);
    const text = await response.text();
    expect(response.status, text).toBe(200);
    return JSON.parse(text) as Answer;
  }

  async function refusal(response: Response, status: number, code: string) {
    const body = (await response.json()) as Record<string, unknown>;
    expect(response.status, JSON.stringify(body)).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(body).toMatchObject({ status, code, error: body["detail"] });
    expect(body["type"]).toBe(`urn:nearcast:error:${code}`);
    expect(response.headers.get("x-request-id")).toBe(body["requestId"]);
    // The next good request gets the right answer.
    expect((await predict("iris", { inputs: iris })).outputs).toMatchObject({ label: "setosa" });
    return body;
  }

  describe("state", () => {
    test("health and readiness", async () => {
      const health = await target.fetch("/health");
      expect([health.status, await health.json()]).toEqual([200, { status: "ok" }]);
      const ready = await target.fetch("/ready");
      expect([ready.status, await ready.json()]).toEqual([
        200,
        { status: "ready", store: "reachable" },
      ]);
    });

    test("every released model is listed", async () => {
      const response = await target.fetch("/v1/models");
      const { models } = (await response.json()) as { models: { name: string }[] };
      expect(models.map(({ name }) => name)).toEqual(
        shippedModels.map(({ manifest }) => manifest.name).toSorted(),
      );
      expect(models.find(({ name }) => name === "iris")).toMatchObject({
        version: "1",
        versions: ["1"],
        task: "tabular-classification",
      });
    });

    test("a model's detail is its manifest's public part", async () => {
      for (const path of ["/v1/models/iris", "/v1/models/iris/versions/1"]) {
        const response = await target.fetch(path);
        expect(response.headers.get("x-model-name")).toBe("iris");
        const detail = (await response.json()) as Record<string, unknown>;
        expect(detail).toMatchObject({
          name: "iris",
          version: "1",
          versions: ["1"],
          released: "1",
        });
        expect(detail["features"]).toHaveLength(4);
        expect(detail["labels"]).toEqual(["setosa", "versicolor", "virginica"]);
        expect(Object.keys(detail)).not.toContain("schema");
      }
    });
  });

  describe("predictions", () => {
    test.each(shippedModels.map(({ manifest }) => [manifest.name, manifest] as const))(
      "%s answers its manifest's examples",
      async (name, { examples }) => {
        expect(examples.length).toBeGreaterThan(0);
        for (const { input, output } of examples)
          expectClose((await predict(name, { inputs: input })).outputs, output, tolerance);
      },
    );

    test("by position, by name, by version and in a batch give the same answer", async () => {
      const one = await predict("iris", { inputs: iris });
      expect(one).toMatchObject({ model: "iris", version: "1", outputs: { label: "setosa" } });
      expect((await predict("iris", { inputs: irisByPosition })).outputs).toEqual(one.outputs);
      expect((await predict("iris", { inputs: [iris, irisByPosition] })).outputs).toEqual([
        one.outputs,
        one.outputs,
      ]);
      const byVersion = await post("/v1/models/iris/versions/1/predict", { inputs: iris });
      expect(((await byVersion.json()) as Answer).outputs).toEqual(one.outputs);
    });

    test("a batch of one answers with an array of one", async () => {
      expect((await predict("sentiment", { inputs: ["Great phone."] })).outputs).toHaveLength(1);
    });

    test("top_k keeps the highest scores", async () => {
      const all = (await predict("iris", { inputs: iris })).outputs as Scored;
      const two = await predict("iris", { inputs: iris, parameters: { top_k: 2 } });
      const scores = Object.entries((two.outputs as Scored).scores);
      expect(scores).toHaveLength(2);
      expect(scores[0]).toEqual(["setosa", all.score]);
      const many = await predict("iris", { inputs: iris, parameters: { top_k: 99 } });
      expect(many.outputs).toEqual(all);
    });

    test("text is handled in the graph, whatever it is", async () => {
      const inputs = ["", "👍🏽", "好极了", "É è ß İ", "x".repeat(10_000), "a\nb\tc", "\ud800", "﻿"];
      const { outputs } = await predict("sentiment", { inputs });
      expect(outputs).toHaveLength(inputs.length);
      for (const [index, input] of inputs.entries())
        expectClose(
          (await predict("sentiment", { inputs: input })).outputs,
          (outputs as unknown[])[index],
          1e-6,
        );
    });

    test("an image by multipart, raw body, base64 and data URL", async () => {
      const { input, label } = digit();
      const png = Buffer.from(input, "base64");
      const form = new FormData();
      form.append("file", new Blob([png], { type: "image/png" }), "digit.png");
      form.append("parameters", JSON.stringify({ top_k: 1 }));
      const path = "/v1/models/digits/predict";
      const answers = await Promise.all([
        target.fetch(path, { method: "POST", body: form }),
        target.fetch(`${path}?top_k=1`, {
          method: "POST",
          body: png,
          headers: { "Content-Type": "image/png" },
        }),
        post(path, { inputs: input, parameters: { top_k: 1 } }),
        post(path, { inputs: `data:image/png;base64,${input}`, parameters: { top_k: 1 } }),
      ]);
      const bodies = await Promise.all(
        answers.map(async (answer) => (await answer.json()) as Answer),
      );
      expect(bodies[0]?.outputs).toMatchObject({ label });
      expect(
        Object.keys((bodies.map(({ outputs }) => outputs as Scored)[0] ?? { scores: {} }).scores),
      ).toEqual([label]);
      for (const body of bodies) expect(body).toEqual(bodies[0]);
    });

    test("several files are a batch", async () => {
      const png = Buffer.from(digit().input, "base64");
      const form = new FormData();
      form.append("a", new Blob([png]), "a.png");
      form.append("b", new Blob([png]), "b.png");
      const response = await target.fetch("/v1/models/digits/predict", {
        method: "POST",
        body: form,
      });
      expect(((await response.json()) as Answer).outputs).toHaveLength(2);
    });

    test("a JPEG, and a large colour PNG, are brought to the model's size and colour", async () => {
      const { jpeg, colourPng, label } = jpegOfDigit(digit());
      for (const [type, bytes] of [
        ["image/jpeg", jpeg],
        ["application/octet-stream", colourPng],
      ] as const) {
        const response = await target.fetch("/v1/models/digits/predict", {
          method: "POST",
          body: bytes,
          headers: { "Content-Type": type },
        });
        expect(((await response.json()) as Answer).outputs).toMatchObject({ label });
      }
    });
  });

  describe("headers", () => {
    test("the answer names model, version, digest and request", async () => {
      const response = await post(
        "/v1/models/iris/predict",
        { inputs: iris },
        { "X-Request-Id": "abc-1" },
      );
      const digest = shippedModels.find(({ manifest }) => manifest.name === "iris")?.manifest
        .artifact.sha256;
      expect(response.headers.get("x-model-name")).toBe("iris");
      expect(response.headers.get("x-model-version")).toBe("1");
      expect(response.headers.get("x-model-digest")).toBe(`sha256:${digest}`);
      expect(response.headers.get("x-request-id")).toBe("abc-1");
    });

    test("Server-Timing has the phases, except on Workers, whose clock stands still", async () => {
      const response = await post("/v1/models/iris/predict", { inputs: iris });
      const timing = response.headers.get("server-timing") ?? "none";
      const names = timing.split(", ").map((phase) => phase.replace(/;dur=\d+\.\d+$/, ""));
      // On a busy machine a request may wait for its turn.
      expect(names.filter((name) => name !== "queue")).toEqual(
        clock ? ["read", "resolve", "preprocess", "load", "run", "postprocess"] : ["none"],
      );
    });

    test("a request id that could not be a header's value is replaced", async () => {
      const response = await post(
        "/v1/models/iris/predict",
        { inputs: iris },
        { "X-Request-Id": "a b<c>" },
      );
      expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    });
  });

  describe("refusals", () => {
    const irisPath = "/v1/models/iris/predict";
    const invalid: [string, unknown, string][] = [
      ["wrong type", { inputs: { ...iris, sepal_width: "3.5" } }, "inputs.sepal_width"],
      ["missing feature", { inputs: { ...iris, sepal_width: undefined } }, "inputs.sepal_width"],
      ["unknown feature", { inputs: { ...iris, colour: 1 } }, "inputs.colour"],
      ["null", { inputs: { ...iris, sepal_width: null } }, "inputs.sepal_width"],
      ["over the maximum", { inputs: { ...iris, sepal_width: 1e6 } }, "inputs.sepal_width"],
      ["out of range", { inputs: [iris, { ...iris, sepal_width: -1 }] }, "inputs[1].sepal_width"],
      ["too few values", { inputs: [1, 2, 3] }, "inputs"],
      ["a bad value by position", { inputs: [[1, 2, 3, "4"]] }, "inputs[0][3]"],
      ["a number", { inputs: 5 }, "inputs"],
      ["null inputs", { inputs: null }, "inputs"],
      ["no inputs", {}, "inputs"],
      ["an empty batch", { inputs: [] }, "inputs"],
      ["a batch over the limit", { inputs: Array.from({ length: 1001 }, () => iris) }, "inputs"],
      ["a mixed batch", { inputs: [iris, "x"] }, "inputs[1]"],
      ["unknown parameter", { inputs: iris, parameters: { temperature: 1 } }, "parameters"],
      ["top_k of 0", { inputs: iris, parameters: { top_k: 0 } }, "parameters.top_k"],
      ["unknown member", { inputs: iris, instances: [] }, "instances"],
      ["not an object", [iris], "body"],
    ];
    test.each(invalid)("%s", async (_name, body, path) => {
      const problem = await refusal(await post(irisPath, body), 422, "invalid_input");
      expect(problem["errors"]).toContainEqual(expect.objectContaining({ path }));
    });

    test("an answer does not grow with the names it refuses", async () => {
      const name = "x".repeat(2_000_000);
      const bodies = [
        { inputs: { [name]: 1 } },
        { inputs: iris, [name]: 1 },
        { inputs: iris, parameters: { [name]: 1 } },
      ];
      for (const body of bodies) {
        const problem = await refusal(await post(irisPath, body), 422, "invalid_input");
        expect(JSON.stringify(problem).length).toBeLessThan(5000);
      }
    });

    test("__proto__ and constructor are features nobody has", async () => {
      for (const key of ["__proto__", "constructor", "toString"]) {
        const body = `{"inputs": {"${key}": 1, "sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}}`;
        const problem = await refusal(await post(irisPath, body), 422, "invalid_input");
        expect(problem["errors"]).toEqual([
          { path: `inputs.${key}`, message: "is not a feature of this model" },
        ]);
      }
      await refusal(await post(irisPath, '{"__proto__": {"inputs": 1}}'), 422, "invalid_input");
    });

    test("NaN, infinity and numbers beyond float32", async () => {
      await refusal(await post(irisPath, '{"inputs": [NaN, 1, 1, 1]}'), 400, "malformed_json");
      await refusal(await post(irisPath, '{"inputs": [1e999, 1, 1, 1]}'), 422, "invalid_input");
      await refusal(await post(irisPath, '{"inputs": [1e39, 1, 1, 1]}'), 422, "invalid_input");
    });

    test("malformed JSON", async () => {
      for (const body of ["{", "", "\u0000", '{"inputs": [1,]}', "undefined"])
        await refusal(await post(irisPath, body), 400, "malformed_json");
    });

    test("JSON 10,000 levels deep", async () => {
      const deep = "[".repeat(10_000) + "]".repeat(10_000);
      for (const path of [
        irisPath,
        "/v1/models/sentiment/predict",
        "/v1/models/iris:predict",
        "/v2/models/iris/infer",
        "/v2/repository/index",
      ])
        await refusal(await post(path, `{"inputs": ${deep}}`), 400, "malformed_json");
      // Brackets in a string do not count as nesting.
      const text = JSON.stringify(`${"[".repeat(100)}"\\`);
      const answer = await post("/v1/models/sentiment/predict", `{"inputs": ${text}}`);
      expect(answer.status).toBe(200);
    });

    test("text that is none, too long or has a NUL", async () => {
      const path = "/v1/models/sentiment/predict";
      for (const inputs of [5, null, { text: "a" }, ["a", 5], "a\0b", "x".repeat(100_001)])
        await refusal(await post(path, { inputs }), 422, "invalid_input");
    });

    test("a body over the limit, declared and streamed", async () => {
      const path = "/v1/models/sentiment/predict";
      if (!target.url) {
        // Above Lambda's limit of 6 MB the event service refuses the request. This body is between the two limits.
        await refusal(await post(path, { inputs: "x".repeat(5_000_000) }), 413, "body_too_large");
        return;
      }
      const size = 7 * 1024 * 1024;
      const url = new URL(path, target.url);
      await refusal(await postSlowly(url, { "Content-Length": size }, []), 413, "body_too_large");
      const chunks = Array.from({ length: 7 }, () => Buffer.alloc(size / 7, "x"));
      await refusal(await postSlowly(url, {}, chunks), 413, "body_too_large");
    });

    test("media types that are not served", async () => {
      for (const type of [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "",
      ]) {
        const headers = { "Content-Type": type };
        await refusal(
          await post(irisPath, JSON.stringify({ inputs: iris }), headers),
          415,
          "unsupported_media_type",
        );
      }
      const brotli = { "Content-Encoding": "br" };
      await refusal(await post(irisPath, { inputs: iris }, brotli), 415, "unsupported_media_type");
    });

    test("compressed bodies: read, refused when they are not, counted when they are large", async () => {
      const gzip = { "Content-Encoding": "gzip", "Content-Type": "application/json" };
      const send = (body: BodyInit) =>
        target.fetch(irisPath, { method: "POST", body, headers: gzip });
      const answer = await send(gzipSync(JSON.stringify({ inputs: iris })));
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({ outputs: { label: "setosa" } });
      await refusal(await send(JSON.stringify({ inputs: iris })), 400, "malformed_request");
      await refusal(await send(gzipSync(" ".repeat(10_000_000))), 413, "body_too_large");
    });

    test("raw bytes and forms for a model that takes none", async () => {
      const raw = {
        method: "POST",
        body: Buffer.from("1"),
        headers: { "Content-Type": "image/png" },
      };
      await refusal(await target.fetch(irisPath, raw), 422, "invalid_input");
      await refusal(await target.fetch("/v1/models/sentiment/predict", raw), 422, "invalid_input");
      const broken = {
        method: "POST",
        body: "--x",
        headers: { "Content-Type": "multipart/form-data; boundary=x" },
      };
      await refusal(
        await target.fetch("/v1/models/digits/predict", broken),
        400,
        "malformed_request",
      );
    });

    test("images that are none, truncated, too large or a decompression bomb", async () => {
      const path = "/v1/models/digits/predict";
      const png = Buffer.from(digit().input, "base64");
      const bad = {
        text: Buffer.from("not an image"),
        empty: Buffer.alloc(0),
        truncated: png.subarray(0, png.length - 20),
        "damaged data": Buffer.concat([png.subarray(0, 45), Buffer.alloc(10), png.subarray(55)]),
        "only a signature": png.subarray(0, 8),
        "jpeg signature": Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0]),
        "pixels without end": encodePng({ width: 60_000, height: 60_000, inflatesTo: 10 }),
        "a bomb behind a small header": encodePng({ width: 8, height: 8, inflatesTo: 50_000_000 }),
      };
      for (const [name, bytes] of Object.entries(bad)) {
        const problem = await refusal(
          await post(path, { inputs: bytes.toString("base64") }),
          422,
          "invalid_input",
        );
        expect(JSON.stringify(problem["errors"]), name).toContain("image");
      }
      await refusal(await post(path, { inputs: ["?", digit().input] }), 422, "invalid_input");
      await refusal(await post(path, { inputs: 5 }), 422, "invalid_input");
    });

    test("models, versions and paths that do not exist", async () => {
      for (const name of [
        "nope",
        "Nope%20",
        "..%2Firis",
        "iris%2F1",
        "a".repeat(300),
        "%00",
        "con%5c",
      ])
        await refusal(
          await post(`/v1/models/${name}/predict`, { inputs: iris }),
          404,
          "unknown_model",
        );
      for (const version of ["2", "..%2F1", "%2e%2e%2fsecret", "1%00"])
        await refusal(
          await post(`/v1/models/iris/versions/${version}/predict`, { inputs: iris }),
          404,
          "unknown_version",
        );
      await refusal(await target.fetch("/v1/models/nope"), 404, "unknown_model");
      await refusal(await target.fetch("/nothing"), 404, "not_found");
    });

    test("a method that a path does not take", async () => {
      const response = await target.fetch(irisPath);
      expect(response.headers.get("allow")).toBe("POST");
      await refusal(response, 405, "method_not_allowed");
    });
  });
}

function digit(): { input: string; label: string } {
  const row = shippedModels.find(({ manifest }) => manifest.name === "digits")?.heldout[0];
  return row as { input: string; label: string };
}
