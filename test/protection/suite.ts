import { generateKeyPairSync, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { encodeJpeg, encodePng } from "../harness/images.ts";
import type { StartTarget, Target, TargetOptions } from "../harness/targets.ts";

const models = join(import.meta.dirname, "../../models");
const FLOWER = { sepal_length: 5.12345, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const IRIS = "/v1/models/iris/predict";

/** What keeps a service on the internet bounded and observable; the same on every runtime. */
export function protection(start: StartTarget, { clock = true } = {}): void {
  let target: Target;
  afterEach(() => target.stop());

  async function begin(options: TargetOptions = {}): Promise<void> {
    target = await start(options);
  }

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    target.fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });

  /** A shipped model under another name, with these fields of its manifest. */
  async function publish(model: string, name: string, fields: object): Promise<void> {
    const manifest = JSON.parse(
      await readFile(join(models, model, "1/model.json"), "utf8"),
    ) as Record<string, unknown>;
    const artifact = await readFile(join(models, model, "1/model.onnx"));
    await target.store.put(`${name}/1/model.onnx`, artifact);
    await target.store.put(
      `${name}/1/model.json`,
      JSON.stringify({ ...manifest, name, ...fields }),
    );
    await target.store.put(`${name}/release.json`, '{"stable":"1"}');
  }

  const ask = (model: string, inputs: unknown) =>
    codeOf(post(`/v1/models/${model}/predict`, { inputs }));
  const askCompressed = (model: string, body: string) =>
    codeOf(
      target.fetch(`/v1/models/${model}/predict`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Content-Encoding": "gzip" },
        body: gzipSync(body),
      }),
    );
  const asTensor = (model: string, data: string[]) => {
    const tensor = { name: "text", shape: [data.length], datatype: "BYTES", data };
    return codeOf(post(`/v2/models/${model}/infer`, { inputs: [tensor] }));
  };

  /** The access log's line of a request. */
  async function lineOf(requestId: string): Promise<Record<string, unknown>> {
    for (let waits = 0; waits < 100; waits++) {
      for (const line of target.logs().split("\n"))
        if (line.includes(`"${requestId}"`) && line.includes('"message":"request"'))
          return JSON.parse(line.slice(line.indexOf("{"))) as Record<string, unknown>;
      await sleep(20);
    }
    throw new Error(`no line of ${requestId} in\n${target.logs()}`);
  }

  test("every request leaves one line, with the same members everywhere", async () => {
    await begin();
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const answer = await post(
      `${IRIS}?key=secret`,
      { inputs: FLOWER },
      { traceparent, "X-Request-Id": "first" },
    );
    expect(answer.status).toBe(200);
    const line = await lineOf("first");
    expect(line).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      level: "info",
      message: "request",
      requestId: "first",
      traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
      method: "POST",
      path: IRIS,
      key: "anonymous",
      model: "iris",
      version: "1",
      digest: answer.headers.get("x-model-digest"),
      status: 200,
      cold: true,
      rows: 1,
      bytes: JSON.stringify({ inputs: FLOWER }).length,
      cost: 1,
      ...(clock && { milliseconds: expect.any(Number), phases: expect.any(Object) }),
    });
    if (clock)
      expect(Object.keys(line["phases"] as object)).toEqual(
        expect.arrayContaining(["read", "resolve", "preprocess", "load", "run", "postprocess"]),
      );

    await post(IRIS, { inputs: { sepal_length: "secret" } }, { "X-Request-Id": "second" });
    expect(await lineOf("second")).toMatchObject({
      status: 422,
      code: "invalid_input",
      cold: false,
    });
    await post("/v1/models/none/predict", { inputs: 1 }, { "X-Request-Id": "third" });
    const third = await lineOf("third");
    expect(third).toMatchObject({ status: 404, code: "unknown_model" });
    // A name that the client made up is in the path alone.
    expect(third).not.toHaveProperty("model");
    await target.fetch("/nowhere", { headers: { "X-Request-Id": "fourth" } });
    expect(await lineOf("fourth")).toMatchObject({ status: 404, code: "not_found" });
    expect(target.logs()).not.toMatch(/secret|12345/);
    expect(target.logs().match(/"message":"request"/g)).toHaveLength(4);
  });

  test("inputs are logged where the manifest says so, without the fields it names", async () => {
    await begin();
    await publish("iris", "logged", {
      logging: { inputs: true, redact: ["petal_width", "sepal_width"] },
    });
    const secret = { ...FLOWER, petal_width: 0.2171717, sepal_width: 3.5171717 };
    await post("/v1/models/logged/predict", { inputs: [secret] }, { "X-Request-Id": "named" });
    const hidden = { petal_width: "(redacted)", sepal_width: "(redacted)" };
    expect((await lineOf("named"))["inputs"]).toEqual([{ ...FLOWER, ...hidden }]);
    const row = [FLOWER.sepal_length, 3.5171717, 1.4, 0.2171717];
    for (const [id, inputs] of [
      ["row", row],
      ["rows", [row, row]],
    ] as const) {
      await post("/v1/models/logged/predict", { inputs }, { "X-Request-Id": id });
      const shown = (await lineOf(id))["inputs"];
      expect([shown].flat()[0]).toEqual({ ...FLOWER, ...hidden });
    }
    // A row that is refused does not show its fields either.
    const partial = [FLOWER.sepal_length, 3.5171717, null, 0.2171717];
    for (const [id, inputs] of [
      ["partial", partial],
      ["partials", [partial]],
    ] as const) {
      await post("/v1/models/logged/predict", { inputs }, { "X-Request-Id": id });
      const line = await lineOf(id);
      expect(line["status"]).toBe(422);
      expect([line["inputs"]].flat()[0]).toMatchObject(hidden);
    }
    // Tensors have no fields to leave out.
    const tensor = { name: "features", shape: [1, 4], datatype: "FP32", data: row };
    await post("/v2/models/logged/infer", { inputs: [tensor] }, { "X-Request-Id": "tensor" });
    expect(await lineOf("tensor")).toMatchObject({ status: 200, model: "logged" });
    expect(target.logs()).not.toMatch(/171717/);
  });

  test("answers are not kept, sniffed or framed", async () => {
    await begin();
    const data = Object.values(FLOWER);
    const tensor = { inputs: [{ name: "features", shape: [1, 4], datatype: "FP32", data }] };
    for (const answer of [
      await post(IRIS, { inputs: FLOWER }),
      await post(IRIS, {}),
      await target.fetch("/v2/models/iris"),
      await post("/v2/models/iris/infer", tensor),
      await post("/v2/models/iris/infer", tensor, { "Accept-Encoding": "gzip" }),
      await target.fetch("/nowhere"),
    ]) {
      expect(answer.headers.get("x-request-id")).toBeTruthy();
      expect(answer.headers.get("cache-control")).toBe("no-store");
      expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
      expect(answer.headers.get("content-security-policy")).toMatch(/default-src 'none'/);
      expect(answer.headers.get("strict-transport-security")).toMatch(/max-age=\d+/);
    }
    const page = await target.fetch("/docs");
    expect(page.headers.get("content-security-policy")).toMatch(/script-src 'self'/);
  });

  test("pages of the configured origins may call, others and by default none may", async () => {
    await begin({ env: { CORS_ORIGINS: "https://shop.example, https://app.example:8443" } });
    const preflight = (origin: string) =>
      target.fetch(IRIS, {
        method: "OPTIONS",
        headers: {
          Origin: origin,
          "Access-Control-Request-Method": "POST",
          "Access-Control-Request-Headers": "authorization,content-type",
        },
      });
    const allowed = await preflight("https://app.example:8443");
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get("access-control-allow-origin")).toBe("https://app.example:8443");
    expect(allowed.headers.get("access-control-allow-methods")).toContain("POST");
    expect(allowed.headers.get("access-control-allow-headers")).toMatch(/Authorization/);
    for (const origin of ["https://evil.example", "https://shop.example.evil", "null"])
      expect((await preflight(origin)).headers.has("access-control-allow-origin")).toBe(false);
    const headers = { Origin: "https://shop.example" };
    for (const answer of [
      await post(IRIS, { inputs: FLOWER }, headers),
      await post(IRIS, {}, headers),
    ]) {
      expect(answer.headers.get("access-control-allow-origin")).toBe("https://shop.example");
      expect(answer.headers.get("access-control-expose-headers")).toMatch(/X-Request-Id/);
      expect(answer.headers.get("vary")).toMatch(/Origin/);
      expect(answer.headers.get("cache-control")).toBe("no-store");
    }
    await target.stop();
    await begin();
    const closed = await post(IRIS, { inputs: FLOWER }, headers);
    expect([closed.status, closed.headers.has("access-control-allow-origin")]).toEqual([
      200,
      false,
    ]);
  });

  test("a client's deadline, a model's and the deployment's end a wait with 504", async () => {
    await begin({ env: { REQUEST_TIMEOUT_MS: "3000", STORE_TIMEOUT_MS: "6000" } });
    await publish("sentiment", "hasty", { limits: { timeoutMs: 1000 } });
    // Then its manifest has been read, and its artifact has not.
    await expectSoon200(() => target.fetch("/v1/models/hasty"));
    target.store.behave("stall");
    const late = [504, "deadline_exceeded"];
    const timed = async (path: string, inputs: unknown, headers: Record<string, string> = {}) => {
      const began = performance.now();
      expect(await codeOf(post(path, { inputs }, headers))).toEqual(late);
      return performance.now() - began;
    };
    const clients = await timed(IRIS, FLOWER, { "X-Request-Timeout-Ms": "100" });
    const models = await timed("/v1/models/hasty/predict", "good");
    const deployments = await timed(IRIS, FLOWER, { "X-Request-Timeout-Ms": "99999" });
    expect(clients).toBeLessThan(models);
    expect(models).toBeLessThan(deployments);
    for (const value of ["0", "-1", "soon", "1e3"]) {
      const answer = post(IRIS, { inputs: FLOWER }, { "X-Request-Timeout-Ms": value });
      expect(await codeOf(answer)).toEqual([400, "malformed_request"]);
    }
    // Nobody waits for reads that began while the store stalled.
    await target.restart();
    target.store.behave("ok");
    await expectSoon200(() => post(IRIS, { inputs: FLOWER }));
  });

  test("with TRUSTED_KEYS only versions that one of them signed are served", async () => {
    const [ours, theirs] = [generateKeyPairSync("ed25519"), generateKeyPairSync("ed25519")];
    const publicKey = ({ publicKey }: typeof ours) =>
      publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("base64");
    const rotated = publicKey(generateKeyPairSync("ed25519"));
    await begin({ env: { TRUSTED_KEYS: `${rotated}, ${publicKey(ours)}` } });
    const manifest = await readFile(join(models, "iris/1/model.json"));
    const signed = (by: typeof ours, bytes = manifest) =>
      `${publicKey(by)} ${sign(null, bytes, by.privateKey).toString("base64")}\n`;
    const untrusted = [502, "model_untrusted"];
    for (const signature of [
      undefined,
      "",
      "no signature",
      signed(theirs),
      signed(ours, Buffer.concat([manifest, Buffer.from("\n")])),
      // A signature of another key under the trusted name.
      `${publicKey(ours)} ${signed(theirs).split(" ")[1]}`,
    ]) {
      if (signature !== undefined) await target.store.put("iris/1/model.json.sig", signature);
      expect(await codeOf(post(IRIS, { inputs: FLOWER }))).toEqual(untrusted);
    }
    expect(target.store.gets()).not.toContain("iris/1/model.onnx");
    await target.store.put("iris/1/model.json.sig", signed(theirs) + signed(ours));
    expect((await post(IRIS, { inputs: FLOWER })).status).toBe(200);
    // The signature names model and version, so it does not fit another version.
    await target.store.put("rose/1/model.json", manifest);
    await target.store.put("rose/1/model.json.sig", signed(ours));
    await target.store.put("rose/release.json", '{"stable":"1"}');
    const moved = await post("/v1/models/rose/predict", { inputs: FLOWER });
    expect(await codeOf(Promise.resolve(moved))).toEqual([502, "model_corrupt"]);
  });

  test("a model's own limits are tighter than the deployment's", async () => {
    await begin({ env: { MAX_TEXT_LENGTH: "50", MAX_BATCH: "4" } });
    const limits = { batch: 2, textLength: 10, bodyBytes: 200 };
    await publish("sentiment", "short", { limits, examples: [] });
    await publish("sentiment", "long", { limits: { batch: 100, textLength: 1000 }, examples: [] });
    for (const send of [ask, asTensor]) {
      expect((await send("short", ["good", "bad"]))[0]).toBe(200);
      for (const refused of [["a", "b", "c"], ["eleven char"]])
        expect(await send("short", refused)).toEqual([422, "invalid_input"]);
      // A model cannot loosen what the deployment allows.
      for (const refused of [["a", "b", "c", "d", "e"], ["x".repeat(51)]])
        expect(await send("long", refused)).toEqual([422, "invalid_input"]);
      expect((await send("long", ["a", "b", "c", "x".repeat(50)]))[0]).toBe(200);
    }
    expect(await ask("short", ["a", " ".repeat(300)])).toEqual([413, "body_too_large"]);
    // A compressed body counts as what it decompresses to.
    const [fits, over] = [180, 200].map((spaces) => `{"inputs":${" ".repeat(spaces)}"a"}`);
    expect((await askCompressed("short", fits ?? ""))[0]).toBe(200);
    expect(await askCompressed("short", over ?? "")).toEqual([413, "body_too_large"]);
  });

  test("images have the pixels that the deployment allows at most, or their model, all of a request together", async () => {
    await begin({ env: { MAX_IMAGE_PIXELS: "100" } });
    await publish("digits", "small", { limits: { imagePixels: 60 }, examples: [] });
    await publish("digits", "large", { limits: { imagePixels: 1000 }, examples: [] });
    for (const [model, allowed] of [
      ["digits", 10],
      ["small", 6],
      // A model cannot loosen what the deployment allows.
      ["large", 10],
    ] as const)
      for (const image of [wide10Png, wide10Jpeg]) {
        const send = (...heights: number[]) =>
          ask(
            model,
            heights.map((height) => image(height).toString("base64")),
          );
        expect((await send(allowed))[0]).toBe(200);
        expect((await send(allowed - 2, 2))[0]).toBe(200);
        expect(await send(allowed + 1)).toEqual([422, "invalid_input"]);
        expect(await send(allowed - 2, 3)).toEqual([422, "invalid_input"]);
      }
  });
}

function wide10Png(height: number): Buffer {
  return encodePng({ width: 10, height, inflatesTo: 11 * height });
}

function wide10Jpeg(height: number): Buffer {
  return encodeJpeg({ width: 10, height, data: Buffer.alloc(40 * height) }, 90);
}

/** Here a deadline also ends requests that a busy machine begins too late. */
async function expectSoon200(ask: () => Promise<Response>): Promise<void> {
  await expect.poll(async () => (await ask()).status).toBe(200);
}

async function codeOf(answer: Promise<Response>): Promise<[number, unknown]> {
  const response = await answer;
  return [response.status, ((await response.json()) as { code?: unknown }).code];
}
