import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readExamples } from "../../cli/examples/files.ts";
import { openPackage } from "../../cli/package-folder.ts";
import { mulberry32 } from "../../functions/tasks/tensor/seeded.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import { fixture, nearcast, root, succeed, temporaryFolder } from "./nearcast.ts";

const LIMIT_MS = 300_000;
const PICTURE = join(root, "test/fixtures/model-files/picture.onnx");
/** Both need only native. Other runtimes make no difference here. */
const NATIVE = ["--runtime", "native"];

interface Picture {
  input: { input: number[][][][] };
  output: { doubled: number[][][][]; mean: number[][] };
}

async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, "model.json"), "utf8")) as Manifest;
}

test(
  "examples of a picture's size are made from a seed, lie in files, and go with the version",
  async () => {
    const models = await temporaryFolder();
    const folder = join(models, "picture/1");
    await succeed(["add", PICTURE, "--name", "picture", "--models", models]);
    await succeed(["verify", "picture", "--models", models, "--record"]);
    expect((await stat(join(folder, "model.json"))).size).toBeLessThan(4096);
    const { examples, examplesFile } = await readManifest(folder);
    expect(examples).toEqual([]);
    expect(examplesFile?.tensors).toHaveLength(4);

    const [example] = (await readExamples(
      await openPackage(models, { name: "picture" }),
    )) as unknown as [Picture];
    const { input } = example.input;
    const random = mulberry32(1);
    const level = () => Math.floor(random() * 256) / 256;
    expect(input[0]?.[0]?.[0]?.slice(0, 5)).toEqual([0, 1, 2, 3, 4].map(level));
    const { doubled, mean } = example.output;
    expect(doubled[0]?.[2]?.[239]?.[319]).toBe((input[0]?.[2]?.[239]?.[319] ?? 0) * 2);
    expect(mean).toHaveLength(1);

    const store = join(await temporaryFolder(), "store");
    await succeed(["push", "picture", "--models", models, "--to", store, ...NATIVE]);
    expect((await readdir(join(store, "picture/1"))).toSorted()).toEqual(
      (await readdir(folder)).toSorted(),
    );

    const array = join(folder, "example-1-output-1.npy");
    const bytes = await readFile(array);
    bytes[bytes.length - 1] = 65;
    await writeFile(array, bytes);
    const changed = await nearcast(["verify", "picture", "--models", models, ...NATIVE]);
    expect(changed.stderr).toContain(
      "example-1-output-1.npy of picture@1 does not match its sha256",
    );
    // `--record` lists the files as they are, but refuses if an answer has changed.
    const kept = await nearcast(["verify", "picture", "--models", models, ...NATIVE, "--record"]);
    expect(kept.stderr).toContain("examples[0].output.doubled[0][2][239][319] is");
  },
  LIMIT_MS,
);

test(
  "a line of examples.jsonl is taken up by verify --record, and one that is wrong is named",
  async () => {
    const models = await temporaryFolder();
    const folder = join(models, "free/1");
    await succeed(["add", fixture("free-dimension.onnx"), "--name", "free", "--models", models]);
    const lines = join(folder, "examples.jsonl");
    await writeFile(lines, '{"input": {"x": [[1, -1]]}}\n\n{"inputs": 1}\n');
    const verify = ["verify", "free", "--models", models, ...NATIVE];
    expect((await nearcast(verify)).stderr).toContain("which its manifest does not list");
    expect((await nearcast([...verify, "--record"])).stderr).toMatch(
      /^nearcast: Line 3 of examples\.jsonl of free@1: .*"inputs" is not known here.*\n$/,
    );
    await writeFile(lines, '{"input": {"x": {"$npy": "x.npy"}}}\n');
    expect((await nearcast([...verify, "--record"])).stderr).toContain(
      "Line 1 of examples.jsonl of free@1: the file x.npy does not lie beside it",
    );
    await writeFile(lines, '{"input": {"x": [[1, -1]]}}\n');
    await succeed([...verify, "--record"]);
    await succeed(verify);
    expect(await readFile(lines, "utf8")).toBe('{"input":{"x":[[1,-1]]},"output":{"y":[[1,0]]}}\n');
    const { examplesFile } = await readManifest(folder);
    expect(examplesFile).toMatchObject({ file: "examples.jsonl", bytes: 48 });
  },
  LIMIT_MS,
);

test(
  "recording moves large examples out of a manifest, and leaves small ones",
  async () => {
    const models = await temporaryFolder();
    const folder = join(models, "free/1");
    await succeed(["add", fixture("free-dimension.onnx"), "--name", "free", "--models", models]);
    const row = Array.from({ length: 20_000 }, (_, index) => index / 7);
    const examples = [{ input: { x: [row] } }, { input: { x: [[1, -1]] } }];
    const added = await readManifest(folder);
    const inputs = added.inputs.map((input) => ({ ...input, maxShape: [-1, 20_000] }));
    const manifest = { ...added, inputs, "x-own": 1, examples };
    await writeFile(join(folder, "model.json"), JSON.stringify(manifest));
    await succeed(["verify", "free", "--models", models, ...NATIVE, "--record"]);
    const { artifact, ...written } = await readManifest(folder);
    const measured = { sessionBytes: expect.any(Number), wasmBytes: expect.any(Number) };
    expect(artifact).toEqual({ ...manifest.artifact, ...measured });
    expect(written).toMatchObject({
      "x-own": 1,
      examples: [{ ...examples[1], output: { y: [[1, 0]] } }],
      examplesFile: { tensors: [{}, {}] },
    });
    const [, large] = await readExamples(await openPackage(models, { name: "free" }));
    expect(large?.input).toEqual({ x: [row] });
  },
  LIMIT_MS,
);
