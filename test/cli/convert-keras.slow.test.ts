import { execFile } from "node:child_process";
import { access, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openPackage } from "../../cli/package-folder.ts";
import { openPredictor } from "../../cli/predictor.ts";
import { CONVERSION_LIMIT_MS, suiteFolder, tensorflow } from "./converting.ts";
import { nearcastProcess, root, temporaryFolder } from "./nearcast.ts";

if (!tensorflow.isMade) console.log("TensorFlow's environment was not made yet: skipped.");
const fixtures = join(root, "test/fixtures/conversions");
const TABLE = ["--features", "a,b,c,d", "--labels", "x,y,z"];
const row = { a: 22, b: 0.5, c: 900, d: -3 };

describe.skipIf(!tensorflow.isMade)("convert of Keras", { timeout: CONVERSION_LIMIT_MS }, () => {
  let files: string;
  let models: string;
  const convert = (name: string, ...flags: string[]) =>
    nearcastProcess(["convert", join(files, name), "--name", "it", "--models", models, ...flags]);
  const version = () => openPackage(models, { name: "it" });
  const answerTo = async (input: unknown) =>
    (await openPredictor(await version(), "native")).predict(input);
  const converted = async (name: string, ...flags: string[]) => {
    const { code, stdout, stderr } = await convert(name, ...flags);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/Compared 1\d\d inputs with the original on native and WASM/);
    return (await version()).manifest;
  };
  const refused = async (name: string, ...flags: string[]) => {
    const { code, stdout, stderr } = await convert(name, ...flags);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(await readdir(models).catch(() => [])).toEqual([]);
    return stderr;
  };

  beforeAll(async () => {
    files = await suiteFolder();
    for (const script of ["keras_models.py", "harmful_keras.py"])
      await promisify(execFile)(tensorflow.python, [join(fixtures, script), files]);
  }, CONVERSION_LIMIT_MS);
  beforeEach(async () => {
    models = join(await temporaryFolder(), "models");
  });

  test("a file of Keras and its SavedModel are one classifier of a table, in batches of any size", async () => {
    const answers = [];
    for (const name of ["table.keras", "exported"]) {
      const { task, description } = await converted(name, ...TABLE);
      expect(task).toBe("tabular-classification");
      expect(description).toContain(name === "exported" ? "serving_default" : "Sequential");
      answers.push(await answerTo([row, row, row, row]));
    }
    expect(answers[0]).toHaveLength(4);
    expect(answers[0]).toEqual(answers[1]);
  });

  test("a picture is answered as Keras answers it, channels last", async () => {
    const flags = ["--image", "16x16", "--labels", "a,b,c", "--scale", "1"];
    const manifest = await converted("picture.keras", ...flags);
    expect(manifest).toMatchObject({
      task: "image-classification",
      image: { layout: "NHWC", width: 16 },
      inputs: [{ shape: [-1, 16, 16, 3] }],
    });
    const expected = JSON.parse(await readFile(join(files, "picture.json"), "utf8")) as number[];
    const picture = await readFile(join(files, "picture.png"), "base64");
    const [a, b, c] = expected.map((one) => expect.closeTo(one, 4));
    expect(await answerTo(picture)).toMatchObject({ scores: { a, b, c } });
  });

  test("of three outputs by two names each has its own", async () => {
    const { outputs } = await converted("boxes.keras");
    const names = (outputs as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(["output_1", "output_2", "output_3"]);
  });

  test("numbers are made near those that are normalised", async () => {
    const { stdout } = await convert("far.keras");
    expect(stdout).not.toContain("nearly the same");
    const others = await convert("exported-far", "--name", "far");
    expect(others.stdout).toContain("answers nearly the same (output_0), so");
  });

  test("ids are made for a table of vectors, of several lengths and with zeros at the end", async () => {
    const { inputs } = await converted("gru.keras");
    expect(inputs).toMatchObject([{ name: "ids", datatype: "INT32", shape: [-1, -1] }]);
    expect(await answerTo({ ids: [[1, 49, 0]] })).toMatchObject({ output: [[expect.any(Number)]] });
  });

  test("a SavedModel says which numbers it takes only with a file", async () => {
    expect(await refused("exported-gru")).toMatch(/takes ids as int32, \[any, any\].* --inputs/);
    const inputs = join(files, "ids.json");
    await writeFile(inputs, JSON.stringify({ ids: [["7", "30", "0"]] }));
    expect(await refused("exported-gru", "--inputs", inputs)).toMatch(/has ids as <U2, and/);
    await writeFile(inputs, JSON.stringify({ ids: [[7, 30, 0]] }));
    await converted("exported-gru", "--inputs", inputs);
  });

  test("of several signatures one is named", async () => {
    const said = await refused("module");
    expect(said).toContain(
      "alike, endless, greedy, lengths, ranks, score, times. Say which one: --signature",
    );
    expect(await refused("module", "--signature", "other")).toContain("has no signature other");
    await converted("module", "--signature", "score");
    const { score } = (await answerTo({ rows: [[1, 2, 3]] })) as { score: number[][] };
    expect(score[0]?.[0]).toBeCloseTo(1 - (score[0]?.[1] ?? 0), 5);
  });

  test("a number beside rows leaves their batch free", async () => {
    const { inputs } = await converted("module", "--signature", "times");
    expect(inputs).toMatchObject([
      { name: "factor", shape: [] },
      { name: "rows", shape: [-1, 3] },
    ]);
  });

  test.each([
    [
      "other numbers",
      "halves.keras",
      [],
      /differ, so nothing was written\. Input \d+ on native, output\[\d, \d\] is/,
    ],
    ["no operator", "module", ["--signature", "ranks"], /nothing for TensorFlow's operators Svd/],
    ["another shape", "table.keras", ["--inputs", "5"], /has the shape 5 for features/],
    ["code", "code.keras", [], /code that runs when it is loaded or asked \(Lambda\).*--trust/],
    ["a class of others", "other-code.keras", [], /not in it: Scale of shop\.layers\. .*export\(/],
    ["a function of others", "program.keras", ["--trust"], /not in it: function of os\./],
    ["a vocabulary in a file", "file.keras", [], /cannot load it: .*vocabulary/],
    [
      "a function that fetches",
      "fetch.keras",
      [],
      /cannot load it: .*get_file` because it is not a modeling/,
    ],
    ["weights of another file", "linked.keras", [], /cannot load it: .*[Ee]xternal/],
    ["weights that another file has", "virtual.keras", [], /cannot load it: .*virtual/],
    ["a table from a file", "reads", [], /InitializeTableFromTextFileV2 .*--trust/],
    ["a call of what saves", "saver", [], /SaveV2 \(in __inference__traced_save_\d+\).*--trust/],
    [
      "an operator by the name of what saves",
      "saver-by-name",
      [],
      /MergeV2Checkpoints \(in Erfc\).*--trust/,
    ],
    ["outputs of one name", "module", ["--signature", "alike"], /outputs a\/b, a_b have names/],
    ["a module that is a number", "no-module.keras", [], /not in it: Normalization of 5\./],
    ["a config without an end", "nested.keras", [], /no model of Keras 3: RecursionError/],
    ["a file with a password", "encrypted.keras", [], /no model of Keras 3: .*encrypted/],
    ["a layer of 100 GB", "huge.keras", [], /more than 4096 MB of memory/],
    ["100 GB when it is asked", "module", ["--signature", "greedy"], /more than 4096 MB of memory/],
    [
      "what is large when it is unpacked",
      "bomb.keras",
      ["--memory", "2048"],
      /bomb\.keras has 3,07\d MB when it is unpacked, which is more than 2048 MB/,
    ],
    [
      "what never ends",
      "module",
      ["--signature", "endless", "--seconds", "15"],
      /was not read in 15 seconds/,
    ],
  ])("%s: refused", async (_, name, flags, reason) => {
    expect(await refused(name, ...flags)).toMatch(reason);
  });

  test("what a file does is done with --trust only", async () => {
    expect(await refused("writes")).toMatch(/WriteFile \(in \S+\)\. .*--trust/);
    await expect(access(join(files, "marker"))).rejects.toThrow("ENOENT");
    // It does what it is said to.
    await convert("writes", "--trust");
    await access(join(files, "marker"));
    await converted("code.keras", "--trust");
  });
});
