import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import {
  bertPackage,
  emptyStore,
  openService,
  RUNTIMES,
  writePackage,
  type PackageParts,
} from "./service.ts";

let store: string;
let parts: PackageParts;

beforeEach(async () => {
  store = await emptyStore();
  parts = await bertPackage();
});

describe.each(RUNTIMES)("a package on %s", (runtime) => {
  const ask = () => openService(store, runtime).predict("bert", "hello");

  test("answers with its weights and its tokenizer in files of their own", async () => {
    await writePackage(store, parts);
    expect((await ask()).status).toBe(200);
  });

  test.each(["tokenizer.json", "model.onnx_data", "model.onnx"])(
    "is corrupt when a byte of %s is not the one it was pushed with, or the file is gone",
    async (file) => {
      await writePackage(store, parts);
      const path = join(store, "bert/1", file);
      const bytes = await readFile(path);
      bytes[100] = (bytes[100] ?? 0) ^ 1;
      await writeFile(path, bytes);
      expect(await ask()).toMatchObject({ status: 502, code: "model_corrupt" });
      await rm(path);
      expect(await ask()).toMatchObject({ status: 502, code: "model_corrupt" });
    },
  );

  test("is corrupt when its weights have another name than the artifact knows", async () => {
    const weights = parts.externalData?.["model.onnx_data"] as Uint8Array;
    await writePackage(store, { ...parts, externalData: { "other.bin": weights } });
    expect(await ask()).toMatchObject({ status: 502, code: "model_corrupt" });
  });

  test("counts weights against the session budget", async () => {
    await writePackage(store, parts);
    const small = openService(store, runtime, { SESSION_BUDGET_MB: "0.05" });
    expect(await small.predict("bert", "hello")).toMatchObject({
      status: 507,
      code: "model_too_large",
    });
  });

  test("keeps apart versions that share a graph and differ in weights", async () => {
    await writePackage(store, parts);
    const weights = Uint8Array.from(parts.externalData?.["model.onnx_data"] as Uint8Array);
    weights.fill(0, 0, 4096);
    await writePackage(store, {
      ...parts,
      externalData: { "model.onnx_data": weights },
      manifest: { ...parts.manifest, name: "other" },
    });
    const { predict } = openService(store, runtime);
    // Both load at once, because on WASM two loads share one table of files.
    const [one, other] = await Promise.all([predict("bert", "hello"), predict("other", "hello")]);
    expect([one.status, other.status]).toEqual([200, 200]);
    expect(one.outputs).not.toEqual(other.outputs);
    const fresh = openService(store, runtime);
    expect((await fresh.predict("other", "hello")).outputs).toEqual(other.outputs);
  });
});

test.each([
  ["../../secret", "a path out of the package"],
  ["sub/file", "a path"],
  ["", "no name"],
])("an asset named %j is refused: %s", async (file) => {
  await writePackage(store, parts);
  const manifest = {
    schema: 1,
    version: "1",
    description: "",
    ...parts.manifest,
    artifact: { file: "model.onnx", sha256: "0".repeat(64), bytes: 1 },
    assets: [{ file, sha256: "0".repeat(64), bytes: 1 }],
  };
  await writeFile(join(store, "bert/1/model.json"), JSON.stringify(manifest));
  const answer = await openService(store, "native").predict("bert", "hello");
  expect(answer).toMatchObject({ status: 502, code: "model_corrupt" });
});

test.each([
  ["no tokenizer asset", { text: { tokenizer: "other.json", maxLength: 16 } }],
  ["no room for a text", { text: { tokenizer: "tokenizer.json", maxLength: 1 } }],
  ["no text", { text: undefined }],
  ["an unknown input", { inputs: [{ name: "words", datatype: "INT64", shape: [-1, -1] }] }],
  ["a batch of four", { inputs: [{ name: "input_ids", datatype: "INT64", shape: [4, -1] }] }],
  ["no regression", { task: "tabular-regression" }],
  ["no catalogue", { task: "recommendation" }],
])("a manifest with %s is refused before any input", async (_, change) => {
  await writePackage(store, { ...parts, manifest: { ...parts.manifest, ...change } });
  const answer = await openService(store, "native").predict("bert", "hello");
  expect(answer).toMatchObject({ status: 502, code: "model_corrupt" });
});
