import { chmod, cp, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writeNpy } from "../../cli/examples/npy.ts";
import {
  fixture,
  nearcast,
  nearcastProcess,
  root,
  snapshot,
  succeed,
  temporaryFolder,
} from "./nearcast.ts";
import { canQuantise } from "./quantising.ts";

const LIMIT_MS = 300_000;

describe.skipIf(process.platform === "win32")("quantize without a Python that it can use", () => {
  test.for([
    ["no python3 at all", undefined, "there is no python3 on the PATH"],
    [
      "a python3 without venv",
      // It starts the folder and then finds that it cannot go on, as Debian's Python does.
      '#!/bin/sh\n: > "$3/pyvenv.cfg"\necho "ensurepip is not available" >&2\nexit 1\n',
      "Python cannot make a virtual environment (on Debian and Ubuntu: apt install python3-venv). ensurepip is not available",
    ],
    [
      "a python3 whose pip has nothing to install from",
      '#!/bin/sh\n[ "$2" = venv ] || { echo "no such host" >&2; exit 1; }\n/bin/mkdir -p "$3/bin"\n/bin/cp "$0" "$3/bin/python"\n',
      "The quantiser could not be installed with pip: no such host",
    ],
  ] as const)(
    "%s: it says so, and leaves nothing behind",
    { timeout: LIMIT_MS },
    async ([, script, reason]) => {
      // A copy, because the repository may have a finished environment from an earlier run.
      const repository = await temporaryFolder();
      for (const part of ["cli", "functions", "package.json", "models/digits/1"])
        await cp(join(root, part), join(repository, part), { recursive: true });
      await symlink(join(root, "node_modules"), join(repository, "node_modules"));
      const path = await temporaryFolder();
      if (script !== undefined) {
        await writeFile(join(path, "python3"), script);
        await chmod(join(path, "python3"), 0o755);
      }
      const before = await snapshot(repository);

      const outcome = await nearcastProcess(["quantize", "digits", "--int8"], {
        repository,
        env: { PATH: path },
      });
      expect(outcome).toMatchObject({ code: 1, stdout: "" });
      expect(outcome.stderr).toContain(reason);
      expect(await snapshot(repository)).toEqual(before);
    },
  );
});

/** `digits@1` in a folder of its own, and the lines of its data. */
async function digits(): Promise<{ models: string; lines: string[] }> {
  const models = await temporaryFolder();
  await cp(join(root, "models/digits/1"), join(models, "digits/1"), { recursive: true });
  const text = await readFile(join(root, "models/digits/heldout.jsonl"), "utf8");
  return { models, lines: text.trimEnd().split("\n") };
}

describe.skipIf(!canQuantise)("quantize", () => {
  test.for([
    [["--form", "rows"], "8-bit weights, and 8-bit sums of each row"],
    [["--form", "weights"], "8-bit weights, and sums of floats"],
    [["--form", "dynamic"], "whose ranges each run measures"],
    [["--calibrate", "DATA"], "whose ranges were measured on 360 rows of heldout.jsonl"],
  ] as const)(
    "%s: about a quarter of the size, and the accuracy before and after",
    { timeout: LIMIT_MS },
    async ([args, about]) => {
      const { models } = await digits();
      const data = join(root, "models/digits/heldout.jsonl");
      const form = args.map((arg) => (arg === "DATA" ? data : arg));
      const flags = ["--int8", ...form, "--data", data, "--models", models];
      const shown = await succeed(["quantize", "digits@1", ...flags]);
      expect(shown).toContain(about);
      const [, before, after] = /bytes (\d+) → (\d+)/.exec(shown) ?? [];
      expect(Number(after) / Number(before)).toBeLessThan(0.31);
      const [, native] = /accuracy 0\.9944 → (\d\.\d+) native/.exec(shown) ?? [];
      expect(Number(native)).toBeGreaterThan(0.98);
      if (args[1] === "dynamic")
        expect(shown).toMatch(/the same row's answer differs by up to 0\./);
      else expect(shown).toContain("INT8 alone and in a batch: the same answers (50 rows)");
      const manifest = await readFile(join(models, "digits/2/model.json"), "utf8");
      const { metrics } = JSON.parse(manifest) as { metrics: object[] };
      expect(metrics[0]).toMatchObject({
        name: "accuracy",
        value: expect.closeTo(Number(native), 3),
        rows: 360,
      });
      expect(
        await succeed([
          "verify",
          "digits@2",
          "--record",
          "--tolerance",
          "0.05",
          "--models",
          models,
        ]),
      ).toContain("good to publish");
    },
  );

  test.for([
    [
      "too few rows",
      (lines: string[]) => lines.slice(0, 19),
      "The data has 19 rows, and ranges need at least 20.",
    ],
    [
      "one picture in many copies",
      (lines: string[]) => [...lines.slice(0, 19), ...lines.slice(0, 11)],
      "The data has 30 rows, but only 19 different ones, and ranges need at least 20.",
    ],
    [
      "more rows than it looks at, which it takes from all parts of the file",
      (lines: string[]) => {
        const rows = [...lines, ...lines, ...lines].slice(0, 1000);
        rows[998] = '{"input": "bm90IGEgcGljdHVyZQ=="}';
        return rows;
      },
      "Line 999 of the data: inputs[0] must be a JPEG, PNG or WebP image",
    ],
    [
      "a picture that cannot be read",
      (lines: string[]) => [...lines.slice(0, 20), '{"input": "bm90IGEgcGljdHVyZQ=="}'],
      "Line 21 of the data: inputs[0] must be a JPEG, PNG or WebP image",
    ],
    [
      "a line without an input",
      () => ['{"pixels": 1}'],
      'Line 1 of the data is not of the form {"input": …',
    ],
    ["nothing", () => [], "has no row."],
  ] as const)(
    "refuses to calibrate on %s, and leaves nothing behind",
    { timeout: LIMIT_MS },
    async ([, linesOf, reason]) => {
      const { models, lines } = await digits();
      const data = join(models, "data.jsonl");
      await writeFile(data, linesOf(lines).join("\n"));
      const before = await snapshot(models);
      const refused = await nearcast([
        "quantize",
        "digits",
        "--int8",
        "--calibrate",
        data,
        "--models",
        models,
      ]);
      expect(refused).toMatchObject({ code: 1, stdout: "" });
      expect(refused.stderr).toContain(reason);
      expect(await snapshot(models)).toEqual(before);
    },
  );

  test(
    "calibrates convolutions on tensors, and names the line with a number that is missing",
    { timeout: LIMIT_MS },
    async () => {
      const models = await temporaryFolder();
      await succeed(["add", fixture("convolution.onnx"), "--name", "pictures", "--models", models]);
      const lines: string[] = [];
      for (let row = 0; row < 25; row++) {
        const data = Float32Array.from({ length: 1024 }, (_, at) => Math.sin(row * 31 + at));
        const npy = writeNpy({ type: "<f4", shape: [1, 16, 8, 8], data });
        await writeFile(join(models, `row-${row}.npy`), npy);
        lines.push(JSON.stringify({ input: { pixels: { $npy: `row-${row}.npy` } } }));
      }
      const data = join(models, "data.jsonl");
      await writeFile(data, lines.join("\n"));
      const args = [
        "quantize",
        "pictures@1",
        "--int8",
        "--calibrate",
        data,
        "--data",
        data,
        "--models",
        models,
      ];
      const shown = await succeed(args);
      expect(shown).toContain("measured on 25 rows of data.jsonl");
      expect(shown).toContain("INT8 alone and in a batch: the same answers (25 rows)");
      const [, difference] = /original and INT8: largest difference ([\d.]+)/.exec(shown) ?? [];
      // Its numbers go up to some hundreds.
      expect(Number(difference)).toBeLessThan(10);

      const broken = Float32Array.from({ length: 1024 }, (_, at) => (at === 7 ? NaN : 1));
      await writeFile(
        join(models, "row-3.npy"),
        writeNpy({ type: "<f4", shape: [1, 16, 8, 8], data: broken }),
      );
      const refused = await nearcast(args);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/Line 4 of the data: .*(missing or infinite|finite)/);
    },
  );

  test(
    "says which columns a table lacks, and that texts have no ranges",
    { timeout: LIMIT_MS },
    async () => {
      const models = await temporaryFolder();
      await cp(join(root, "models/diabetes/1"), join(models, "diabetes/1"), { recursive: true });
      const data = join(models, "data.csv");
      await writeFile(data, "age,bmi\n50,30\n");
      const lacking = await calibrate("diabetes", data, models);
      expect(lacking.stderr).toContain("The CSV has no column sex; it has age, bmi.");
      const texts = join(root, "models/sentiment/heldout.jsonl");
      expect((await calibrate("sentiment", texts, join(root, "models"))).stderr).toContain(
        "sentiment@1 takes texts in its graph, and ranges can be measured on numbers only.",
      );
    },
  );
});

test.skipIf(!canQuantise)(
  "a ranking is compared by its texts, and a version gets a tolerance that verify takes",
  { timeout: LIMIT_MS },
  async () => {
    const models = await temporaryFolder();
    await cp(join(root, "models/rank/1"), join(models, "rank/1"), { recursive: true });
    const data = join(root, "models/rank/heldout.jsonl");
    const at = ["--models", models];
    const shown = await succeed(["quantize", "rank", "--int8", "--data", data, ...at]);
    const [, difference] = /original and INT8: largest difference ([\d.]+)/.exec(shown) ?? [];
    expect(Number(difference)).toBeLessThan(0.3);
    const [, tolerance] = /verify rank@2 --record --tolerance (\S+)$/m.exec(shown) ?? [];
    expect(Number(tolerance)).toBeLessThan(0.3);
    const verify = ["verify", "rank@2", "--record", "--tolerance", tolerance ?? "", ...at];
    expect(await succeed(verify)).toContain("good to publish");
  },
);

function calibrate(model: string, file: string, folder: string) {
  return nearcast(["quantize", model, "--int8", "--calibrate", file, "--models", folder]);
}
