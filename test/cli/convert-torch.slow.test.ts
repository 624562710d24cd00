import { execFile } from "node:child_process";
import { access, mkdir, readdir, writeFile } from "node:fs/promises";
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
      [networks, "--module", "networks:table"],
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

  test("a module that takes one row is a model of one row, and says so", async () => {
    const { code, stdout } = await ofModule("one", ...TABLE);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining("It takes one size of batch only"),
    });
    expect((await version()).manifest.inputs).toMatchObject([{ shape: [1, 4] }]);
    expect(await answerTo([row, row])).toHaveLength(2);
  });

  test("a program is asked for batches within its bounds, which other sizes have no part in", async () => {
    const { code, stdout } = await convert(join(files, "steps.pt2"), "--trust");
    expect(code).toBe(0);
    expect(stdout).toMatch(/Compared 10\d inputs/);
    expect((await version()).manifest.inputs).toMatchObject([{ shape: [-1, -1, 3] }]);
  });

  test("modules of the user's code may have the names of files that convert has", async () => {
    const folder = await temporaryFolder();
    const own = (await readdir(join(root, "cli/convert/python")))
      .filter((name) => name.endsWith(".py"))
      .map((name) => name.slice(0, -3));
    for (const name of own) await writeFile(join(folder, `${name}.py`), "factor = 2\n");
    const sum = own.map((name) => `${name}.factor`).join(" + ");
    const code = `import ${own.join(", ")}, torch\nclass Twice(torch.nn.Module):\n    def forward(self, features):\n        return features * (${sum})\n`;
    await writeFile(join(folder, "mine.py"), code);
    const done = await convert(folder, "--trust", "--module", "mine:Twice", "--inputs", "1");
    expect(done.code).toBe(0);
    expect(await answerTo({ features: [[1]] })).toEqual({ output: [[2 * own.length]] });
  });

  test("a name that the user's own code does not have is looked for nowhere else", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "shop"));
    await writeFile(join(folder, "shop/network.py"), "import shop.layrs");
    await writeFile(join(folder, "other.py"), "import shop.layrs");
    for (const module of ["shop.network", "other"]) {
      const args = ["--trust", "--module", `${module}:Net`, "--inputs", "4"];
      const said = await refused(convert(folder, ...args));
      expect(said).toContain(`There is no module shop.layrs in ${folder}`);
      expect(said).not.toContain("--with");
    }
  });

  test("pictures, by the options of add", async () => {
    const labels = ["--labels", "a,b,c,d,e", "--scores", "softmax"];
    const { code } = await ofModule("picture", "--image", "16x16", "--mean", "0.5", ...labels);
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
    const { code } = await ofModule("sequence", "--inputs", inputs);
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
    ["branches", () => ofModule("branches", "--inputs", "4"), "torch.export cannot follow it"],
    ["no inputs", () => ofModule("table"), "--inputs"],
    [
      "another shape",
      () => ofModule("table", "--inputs", "5"),
      "must have same reduction dim, but got [1, 5] X [4, 16]",
    ],
    [
      "a class, whose weights would be random",
      () => ofModule("Table", ...TABLE),
      "Name the file of its weights as the path",
    ],
    [
      "an input that is too large to compare",
      () => ofModule("Flat", "--inputs", "3x3000x3000"),
      "has 108 MB, and at most 100 MB can be compared",
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

  test("a program that is small and becomes large is refused for its size", async () => {
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
    const said = await refused(convert(bomb, "--trust", "--memory", "2048"));
    expect(said).toMatch(/bomb\.pt2 has 3,07\d MB when it is unpacked, which is more than 2048 MB/);
  });
});
