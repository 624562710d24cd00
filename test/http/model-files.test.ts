import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import { targets, type Target } from "../harness/targets.ts";

const models = join(import.meta.dirname, "../../models");
const PLATFORMS = ["node", "worker", "lambda"] as const;
const keys = { all: "a".repeat(40), reader: "r".repeat(40), other: "o".repeat(40) };
const sha256 = (of: string | Uint8Array) => createHash("sha256").update(of).digest("hex");
/** Longer than an answer of Lambda. */
const weights = Buffer.alloc(6 * 1024 * 1024, 7).fill("nearcast", 5_000_000);
const ORIGIN = "https://page.example";

const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;

describe.each(inThisFile(PLATFORMS))("files of versions on %s", (platform) => {
  let target: Target;
  let artifact: Buffer;
  beforeAll(async () => {
    const API_KEYS = JSON.stringify([
      { name: "all", sha256: sha256(keys.all) },
      { name: "reader", sha256: sha256(keys.reader), scopes: ["read"] },
      { name: "other", sha256: sha256(keys.other), models: ["digits"] },
    ]);
    target = await targets[platform]({ env: { AUTH: "", API_KEYS, CORS_ORIGINS: ORIGIN } });
    artifact = await readFile(join(models, "iris/1/model.onnx"));
    const manifest = JSON.parse(await readFile(join(models, "iris/1/model.json"), "utf8"));
    const { browser: _browser, ...closed } = manifest;
    const put = async (version: string, own: object, bytes: Uint8Array = artifact) => {
      await target.store.put(`iris/${version}/model.onnx`, bytes);
      await target.store.put(`iris/${version}/model.json`, JSON.stringify({ ...own, version }));
    };
    // One that was released before, and one on trial.
    await put("0", closed);
    await put("2", closed);
    await put("short", manifest, artifact.subarray(1));
    const externalData = [{ file: "weights.bin", sha256: sha256(weights), bytes: weights.length }];
    await put("large", { ...manifest, artifact: { ...manifest.artifact, externalData } });
    await target.store.put("iris/large/weights.bin", weights);
    const candidates = [{ version: "2", percent: 50 }];
    await target.store.put("iris/release.json", JSON.stringify({ stable: "1", candidates }));
  });
  afterAll(() => target.stop());

  const ask = (path: string, headers: Record<string, string> = {}, method = "GET") =>
    target.fetch(`/v1/models/iris/versions/${path}`, {
      method,
      headers: { "X-API-Key": keys.all, ...headers },
    });
  test("the artifact of a version that opts in is sent, and kept by its digest", async () => {
    const answer = await ask("1/files/model.onnx", { Origin: ORIGIN });
    expect(answer.status).toBe(200);
    expect(Buffer.from(await answer.arrayBuffer()).equals(artifact)).toBe(true);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      etag: `"${sha256(artifact)}"`,
      "cache-control": "private, max-age=31536000, immutable",
      "content-type": "application/octet-stream",
      "access-control-allow-origin": ORIGIN,
    });
    const again = await ask("1/files/model.onnx", { "If-None-Match": `"${sha256(artifact)}"` });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    const head = await ask("1/files/model.onnx", {}, "HEAD");
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  test("an asset is sent, and no example, no manifest, no signature", async () => {
    const file = "/v1/models/search/versions/1/files/tokenizer.json";
    const answer = await target.fetch(file, { headers: { "X-API-Key": keys.all } });
    expect(await answer.text()).toBe(
      await readFile(join(models, "search/1/tokenizer.json"), "utf8"),
    );
    for (const name of ["model.json", "release.json", "examples.jsonl", "..%2Frelease.json"])
      expect((await ask(`1/files/${name}`)).status, name).toBe(404);
  });

  test.each([
    ["0", {}],
    ["0", { Range: "bytes=0-9" }],
    ["0", { "If-None-Match": "*" }],
    ["2", {}],
    ["2", { "X-Nearcast-Version-Override": "1" }],
  ])("version %s, which does not opt in, is never sent (%o)", async (version, headers) => {
    const answer = await ask(`${version}/files/model.onnx`, headers);
    expect([answer.status, await codeOf(answer)]).toEqual([404, "not_found"]);
    const head = await ask(`${version}/files/model.onnx`, headers, "HEAD");
    expect([head.status, head.headers.get("etag")]).toEqual([404, null]);
    const post = await ask(`${version}/files/model.onnx`, headers, "POST");
    expect([post.status, await codeOf(post)]).toEqual([405, "method_not_allowed"]);
  });

  test("a file that is larger than an answer may be comes in parts", async () => {
    const parts: Buffer[] = [];
    const step = 4 * 1024 * 1024;
    for (let at = 0; at < weights.length; at += step) {
      const range = `bytes=${at}-${Math.min(at + step, weights.length) - 1}`;
      const answer = await ask("large/files/weights.bin", { Range: range });
      expect(answer.status).toBe(206);
      parts.push(Buffer.from(await answer.arrayBuffer()));
    }
    expect(Buffer.concat(parts).equals(weights)).toBe(true);
    const whole = await ask("large/files/weights.bin");
    if (platform === "lambda") expect(await codeOf(whole)).toBe("answer_too_large");
    else expect(sha256(new Uint8Array(await whole.arrayBuffer()))).toBe(sha256(weights));
  });

  test("who may not predict with the model gets no file", async () => {
    for (const key of [keys.reader, keys.other]) {
      const answer = await ask("1/files/model.onnx", { "X-API-Key": key });
      expect([answer.status, await codeOf(answer)]).toEqual([403, "forbidden"]);
    }
    expect((await target.fetch("/v1/models/iris/versions/1/files/model.onnx")).status).toBe(401);
  });

  test("a file of another length is an error, and so is one that is not there", async () => {
    const answer = await ask("short/files/model.onnx");
    expect([answer.status, await codeOf(answer)]).toEqual([502, "model_corrupt"]);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await codeOf(await ask("none/files/model.onnx"))).toBe("unknown_version");
  });

  test("versions say whether they opt in", async () => {
    const shown = await Promise.all(["1", "2"].map(async (one) => (await ask(one)).json()));
    expect(shown.map(({ browser }) => browser)).toEqual([true, undefined]);
  });
});
