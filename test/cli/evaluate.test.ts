import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { writeNpy } from "../../cli/examples/npy.ts";
import { addLines, nearcast, removeLines, root, succeed, temporaryFolder } from "./nearcast.ts";

const LIMIT_MS = 300_000;
afterAll(removeLines);

interface Evaluation {
  rows: number;
  metrics: Record<string, number>;
  confusion: { labels: string[]; counts: number[][] };
}

test(
  "the confusion matrix and the metrics agree",
  async () => {
    const folder = await temporaryFolder();
    const lines = (await readFile(join(root, "models/sentiment/heldout.jsonl"), "utf8")).split(
      "\n",
    );
    const rows = lines.slice(0, 200).map((line) => JSON.parse(line) as { label: string });
    const data = join(folder, "data.jsonl");
    await writeFile(data, rows.map((row) => JSON.stringify(row)).join("\n"));
    const shown = await succeed(["eval", "sentiment@1", "--data", data, "--json"]);
    const { metrics, confusion } = JSON.parse(shown) as Evaluation;
    const [[trueNegative = 0, falsePositive = 0] = [], [falseNegative = 0, truePositive = 0] = []] =
      confusion.counts;
    expect(confusion.labels).toEqual(["negative", "positive"]);
    expect(trueNegative + falsePositive + falseNegative + truePositive).toBe(200);
    expect(metrics["accuracy"]).toBeCloseTo((trueNegative + truePositive) / 200, 12);
    expect(metrics["precision_macro"]).toBeCloseTo(
      (trueNegative / (trueNegative + falseNegative) +
        truePositive / (truePositive + falsePositive)) /
        2,
      12,
    );
    expect(metrics["auc"]).toBeGreaterThan(metrics["accuracy"] ?? 1);
  },
  LIMIT_MS,
);

test("eval measures calibration, and says where a manifest promises it wrongly", async () => {
  const models = await temporaryFolder();
  await cp(join(root, "models/iris/1"), join(models, "iris/1"), { recursive: true });
  const path = join(models, "iris/1/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as object;
  const right = join(root, "models/iris/heldout.jsonl");
  const wrong = join(models, "wrong.jsonl");
  // Most labels are others than the sure answers.
  await writeFile(wrong, (await readFile(right, "utf8")).replaceAll('"versicolor"', '"setosa"'));
  const run = (data: string) => nearcast(["eval", "iris@1", "--models", models, "--data", data]);
  const measured =
    /^calibration: expected calibration error 0\.\d{4} with 15 bins and \d+ rows, where calibrated scores have at most 0\.\d{4} in 99 of 100 cases$/m;
  const silent = await run(wrong);
  expect(silent.stdout).toMatch(measured);
  expect(silent.stderr).toBe("");
  const feedback = { keptSeconds: 3600, calibrated: true };
  await writeFile(path, JSON.stringify({ ...manifest, feedback }));
  expect(await run(right)).toMatchObject({ code: 0, stderr: "" });
  const told = await run(wrong);
  expect(told.code).toBe(0);
  expect(told.stderr).toMatch(
    /The manifest says that the scores of iris@1 are calibrated \(feedback\.calibrated\), and on this data they are not: /,
  );
  const json = await succeed(["eval", "iris@1", "--models", models, "--data", right, "--json"]);
  expect(JSON.parse(json)).toMatchObject({ calibration: { bins: 15 } });
});

test("eval takes parameters, such as how many numbers of a vector", async () => {
  const { metrics } = JSON.parse((await evalSearch('{"dimensions": 32}')).stdout) as Evaluation;
  // 0.940 with all 128.
  expect(metrics["recall_at_10"]).toBeCloseTo(0.864, 6);
  const tooMany = await evalSearch('{"dimensions": 129}');
  expect(tooMany.code).toBe(1);
  expect(tooMany.stderr).toContain("parameters.dimensions must be at most 128 for this model");
  expect(await evalSearch("[32]")).toMatchObject({ code: 2, stdout: "" });
});

test("eval compares packed bits by how many differ", async () => {
  for (const precision of ["binary", "ubinary"]) {
    const { stdout } = await evalSearch(JSON.stringify({ precision }));
    const { metrics } = JSON.parse(stdout) as Evaluation;
    // By the cosine of the bytes it would be 0.472.
    expect(metrics["recall_at_10"]).toBeCloseTo(0.92, 6);
  }
});

const SEARCHED = join(root, "models/search/heldout.jsonl");

function evalSearch(parameters: string) {
  return nearcast(["eval", "search@1", "--data", SEARCHED, "--parameters", parameters, "--json"]);
}

test("eval says among how many texts it searched, however they are written", async () => {
  const rows = (await readFile(SEARCHED, "utf8")).trim().split("\n");
  const data = join(await temporaryFolder(), "data.jsonl");
  const write = (made: readonly object[]) =>
    writeFile(data, made.map((row) => JSON.stringify(row)).join("\n"));
  const asked = rows
    .map((row) => JSON.parse(row) as { input: string; label?: string })
    .filter(({ label }) => label !== undefined)
    .slice(0, 30);
  const labels = new Set(asked.map(({ label }) => label));
  // Every text of a label, once more as a row without one.
  await write([...asked, ...[...labels].map((text) => ({ input: { text } }))]);
  const shown = await succeed(["eval", "search@1", "--data", data]);
  expect(shown).toContain(`30 rows, each searched among ${labels.size}\n`);
  const [, recall] = /recall_at_10 +(\S+)/.exec(shown) ?? [];
  expect(Number(recall)).toBeGreaterThan(0.9);

  const first = asked[0]?.label;
  for (const [made, reason] of [
    [asked.slice(0, 10), "Each row's own is searched among 10, of which the first 10 count"],
    [
      [...asked.map(({ label }) => ({ input: label })), { input: "a", label: first }],
      "All rows of the data have the same label",
    ],
    [
      asked.map(({ input }) => ({ input: { text: input }, label: input })),
      "Every label is its own",
    ],
  ] as const) {
    await write(made);
    const refused = await nearcast(["eval", "search@1", "--data", data]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain(reason);
  }
});

test(
  "a CSV file, numbers: MAE, RMSE and R²",
  async () => {
    const models = await temporaryFolder();
    await addLines(models);
    const data = join(models, "data.csv");
    await writeFile(data, 'b,a,label,c\r\n2,1,6,"3"\r\n0,2,3,1\r\n\r\n4,4,13,4\r\n');
    const args = ["eval", "line@1", "--data", data, "--models", models, "--json"];
    const { metrics, rows } = JSON.parse(await succeed(args)) as Evaluation;
    expect(rows).toBe(3);
    expect(metrics["mae"]).toBeCloseTo(1 / 3, 6);
    expect(metrics["rmse"]).toBeCloseTo(Math.sqrt(1 / 3), 6);
    expect(metrics["r2"]).toBeCloseTo(1 - 1 / (158 / 3), 6);

    await writeFile(data, "a,b,c,label\n1,2,3,6\n1,,3,6\n");
    const refused = await nearcast(args);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain("Line 3 of the data");
  },
  LIMIT_MS,
);

test(
  "gate lets pass what is no worse, in the metric's own direction",
  async () => {
    const models = await temporaryFolder();
    await addLines(models);
    await writeFile(join(models, "line/release.json"), '{"stable":"1"}');
    const data = join(models, "data.jsonl");
    await writeFile(data, [row(1, 1), row(2, 2), row(3, 3.5)].join("\n"));
    const gate = (candidate: string, ...args: string[]) =>
      nearcast(["gate", candidate, "--data", data, "--models", models, ...args]);

    expect((await gate("line@1", "--against", "line@1")).code).toBe(0);
    expect((await gate("line@1", "--against", "line@2", "--metric", "rmse")).code).toBe(0);
    expect((await gate("line@1", "--against", "line@2", "--min-gain", "1")).code).toBe(0);
    // A bare name is the released version for the baseline, the newest for the candidate.
    const worse = await gate("line", "--against", "line", "--metric", "mae");
    expect(worse.code).toBe(1);
    expect(worse.stderr).toContain("mae of line@2");
    expect((await gate("line@1", "--against", "line@1", "--min-gain", "0.001")).code).toBe(1);
    expect((await gate("line@1", "--against", "line@1", "--metric", "auc")).code).toBe(1);

    await writeFile(data, '{"input": {"a": 1, "b": 0, "c": 0}}\n');
    const empty = await gate("line@1", "--against", "line@1");
    expect(empty.code).toBe(1);
    expect(empty.stderr).toContain("no labelled row");
  },
  LIMIT_MS,
);

function row(a: number, label: number): string {
  return JSON.stringify({ input: { a, b: 0, c: 0 }, label });
}

test(
  "CSV is read by the features' types, and what would be misread is refused with its line",
  async () => {
    const models = await temporaryFolder();
    await addLines(models);
    const data = join(models, "data.csv");
    const args = ["eval", "line@1", "--data", data, "--models", models, "--json"];
    const rows = "1,2,3,6\n0,2,1,3\n4,4,4,13\n";
    const expected = JSON.parse(await evaluated(`a,b,c,label\n${rows}`)) as Evaluation;
    for (const same of [
      `\uFEFFa,b,c,label\r\n${rows.replaceAll("\n", "\r\n")}`,
      `,a,b,c,label\n${rows.replaceAll(/^(?=.)/gm, "0,")}`,
      `a;b;c;label\n${rows.replaceAll(",", ",0;").replaceAll(/(\d+)$/gm, "$1")}`,
      `id,a,b,c,label\n${rows.replaceAll(/^(?=.)/gm, '"x, ""y""",')}`,
      Buffer.from(`\uFEFFa\tb\tc\tlabel\n${rows.replaceAll(",", "\t")}`, "utf16le"),
    ])
      expect(JSON.parse(await evaluated(same))).toEqual(expected);

    for (const [text, refused] of [
      ['a,b,c,label\n1,2,3,6\n0,2,"1,3\n', "the quote that line 3 opens is never closed"],
      ['a,b,c,label\n1,2,3"4,6\n', "line 2 has a quote within a cell"],
      ["a,b,c,label\n1,2,3\n", "Line 2 of the CSV has 3 cells"],
      ["a,b,c,label\n1,2,x,6\n", 'line 2, column c must be a number, is "x"'],
      ["a,b,c,label\n1,2,3,6\n1,2,3,\n", "Line 3 of the data has no label"],
      ["a,b,label\n1,2,6\n", "The CSV has no column c; it has a, b, label"],
      ["a,a,b,c,label\n1,1,2,3,6\n", "has the name a again"],
      [
        Buffer.from("note,a,b,c,label\nSch\xf6n,1,2,3,6\n", "latin1"),
        "data.csv is not UTF-8: byte",
      ],
    ] as const) {
      await writeFile(data, text);
      const { code, stderr } = await nearcast(args);
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(refused) });
    }

    await writeFile(join(models, "data.jsonl"), Buffer.from('{"input": "\xe9"}', "latin1"));
    const jsonl = ["eval", "line@1", "--data", join(models, "data.jsonl"), "--models", models];
    expect((await nearcast(jsonl)).stderr).toContain("data.jsonl is not UTF-8: byte 11 (0xE9");

    async function evaluated(text: string | Uint8Array): Promise<string> {
      await writeFile(data, text);
      return succeed(args);
    }
  },
  LIMIT_MS,
);

test(
  "inputs of the data may be NumPy files beside it, and one that is missing is named",
  async () => {
    const folder = await temporaryFolder();
    const data = join(folder, "data.jsonl");
    await writeFile(data, '{"input": {"$npy": "flower.npy"}, "label": "setosa"}\n');
    const evaluate = ["eval", "iris@1", "--data", data, "--json"];
    expect((await nearcast(evaluate)).stderr).toBe(
      "nearcast: Line 1 of the data: the file flower.npy does not lie beside it.\n",
    );
    const flower = { type: "<f8", shape: [4], data: [5.1, 3.5, 1.4, 0.2] } as const;
    await writeFile(join(folder, "flower.npy"), writeNpy(flower));
    const { rows, metrics } = JSON.parse(await succeed(evaluate)) as Evaluation;
    expect([rows, metrics["accuracy"]]).toEqual([1, 1]);
  },
  LIMIT_MS,
);
