import { execFile } from "node:child_process";
import { access, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openPackage } from "../../cli/package-folder.ts";
import { openPredictor } from "../../cli/predictor.ts";
import { CONVERSION_LIMIT_MS, suiteFolder, torch } from "./converting.ts";
import { nearcastProcess, root, temporaryFolder } from "./nearcast.ts";

if (!torch.isMade) console.log("PyTorch's environment was not made yet: skipped.");
const networks = join(root, "test/fixtures/conversions");
const TABLE = ["--features", "a,b,c,d", "--labels", "x,y,z", "--scores", "softmax"];
const row = { a: 1, b: 0.5, c: -1, d: 2 };

describe.skipIf(!torch.isMade)("convert of PyTorch", { timeout: CONVERSION_LIMIT_MS }, () => {
  let files: string;
  let marker: string;
  let models: string;
  const convert = (path: string, ...flags: string[]) =>
    nearcastProcess(["convert", path, "--name", "it", "--models", models, ...flags]);
  const ofModule = (name: string, ...flags: string[]) =>
    convert(networks, "--trust", "--module", `networks:${name}`, ...flags);
  const version = () => openPackage(models, { name: "it" });
  const answerTo = async (input: unknown) =>
    (await openPredictor(await version(), "native")).predict(input);
  const refused = async (outcome: ReturnType<typeof convert>) => {
    const { code, stdout, stderr } = await outcome;
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(await readdir(models).catch(() => [])).toEqual([]);
    return stderr;
  };

  beforeAll(async () => {
    files = await suiteFolder();
    marker = join(files, "marker");
    const script = join(networks, "networks.py");
    await promisify(execFile)(torch.python, [script, files, `open('${marker}', 'w')`]);
  }, CONVERSION_LIMIT_MS);
  beforeEach(async () => {
    models = join(await temporaryFolder(), "models");
  });

  test("a program, a module, and a module with weights are one classifier of a table, in batches of any size", async () => {
    const sources: [string, ...string[]][] = [
      [join(files, "free.pt2")],
      [networks, "--module", "networks:Table"],
    ];
    const answers = [];
    for (const [path, ...flags] of sources) {
      const { code, stdout } = await convert(path, "--trust", ...TABLE, ...flags);
      expect(code).toBe(0);
      expect(stdout).toMatch(/Compared 10\d inputs with the original on native and WASM/);
      expect((await version()).manifest.task).toBe("tabular-classification");
      answers.push(await answerTo([row, row, row, row]));
    }
    expect(answers[0]).toHaveLength(4);
    expect(answers[0]).toEqual(answers[1]);
    // Weights that are not those of the module that is made.
    await writeFile(
      join(files, "own.py"),
      `import sys\nsys.path.insert(0, ${JSON.stringify(networks)})\nimport networks, torch\ndef zeroed():\n    model = networks.Table()\n    for one in model.parameters():\n        torch.nn.init.zeros_(one)\n    return model\n`,
    );
    const path = join(files, "weights.pt");
    const { code } = await convert(path, "--trust", "--module", "own:zeroed", ...TABLE);
    expect(code).toBe(0);
    expect(await answerTo([row, row, row, row])).toEqual(answers[0]);
  });

  test("a program of one batch stays one, and its example is the version's", async () => {
    const { code } = await convert(join(files, "one.pt2"), "--trust");
    expect(code).toBe(0);
    const { manifest } = await version();
    expect(manifest).toMatchObject({ task: "tensor", inputs: [{ shape: [1, 4] }] });
    expect(manifest.examples).toHaveLength(1);
  });

  test("pictures, by the options of add", async () => {
    const labels = ["--labels", "a,b,c,d,e", "--scores", "softmax"];
    const { code } = await ofModule("Picture", "--image", "16x16", "--mean", "0.5", ...labels);
    expect(code).toBe(0);
    const { manifest } = await version();
    expect(manifest).toMatchObject({
      task: "image-classification",
      image: { width: 16, mean: [0.5, 0.5, 0.5] },
    });
  });

  test("ids of a file in, tensors by name out", async () => {
    const inputs = join(files, "ids.json");
    await writeFile(inputs, JSON.stringify({ ids: [[1, 2, 49]] }));
    const { code } = await ofModule("Sequence", "--inputs", inputs);
    expect(code).toBe(0);
    const { scores, state } = (await answerTo({ ids: [[1, 2, 49]] })) as Record<string, number[][]>;
    expect([scores?.[0]?.length, state?.[0]?.length]).toEqual([2, 16]);
  });

  test.each([
    [
      "a program in training",
      () => convert(join(files, "training.pt2"), "--trust"),
      "model.eval()",
    ],
    ["branches", () => ofModule("Branches", "--inputs", "4"), "torch.export cannot follow it"],
    ["no inputs", () => ofModule("Table"), "--inputs"],
    [
      "another shape",
      () => ofModule("Table", "--inputs", "5"),
      "must have same reduction dim, but got [2, 5] X [4, 16]",
    ],
    ["no such name", () => ofModule("Other", "--inputs", "4"), "networks has no Other"],
    [
      "a pickle of a module",
      () =>
        convert(join(files, "whole.pt"), "--trust", "--module", "networks:Table", "--inputs", "4"),
      "There is no module networks",
    ],
  ])("%s is refused, with what to do", async (_, ask, reason) => {
    expect(await refused(ask())).toContain(reason);
  });

  test("a program that runs code is not loaded without --trust, and writes no version with it", async () => {
    const path = join(files, "harm.pt2");
    expect(await refused(convert(path))).toContain("If you trust who made it, say --trust");
    await expect(access(marker)).rejects.toThrow("ENOENT");
    await refused(convert(path, "--trust"));
    await access(marker);
  });

  test("a network that never ends is ended", async () => {
    const said = await refused(ofModule("Endless", "--inputs", "4", "--seconds", "20"));
    expect(said).toContain("was not read in 20 seconds");
  });

  test("a network that wants 100 GB does not get them", async () => {
    expect(await refused(ofModule("Greedy", "--inputs", "4"))).toContain("more than 4096 MB");
  });

  test("a program that is small and becomes large does not get its memory", async () => {
    const script = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as old, zipfile.ZipFile(sys.argv[2], "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
    for entry in old.infolist():
        if entry.filename.endswith("/weight_0"):
            with new.open(entry.filename, "w", force_zip64=True) as weight:
                for _ in range(3 * 64):
                    weight.write(bytes(2**24))
        else:
            new.writestr(entry.filename, old.read(entry))
`;
    const bomb = join(files, "bomb.pt2");
    await promisify(execFile)(torch.python, ["-c", script, join(files, "free.pt2"), bomb]);
    expect(await refused(convert(bomb, "--trust"))).toMatch(/cannot load it|more than 4096 MB/);
  });
});
