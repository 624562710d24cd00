import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, test } from "vitest";
import { nearcast, root, temporaryFolder } from "./nearcast.ts";

const NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width"];
const HEADER = `${NAMES.join(",")}\n`;
const SETOSA = [5.1, 3.5, 1.4, 0.2];
const VIRGINICA = [6.3, 3.3, 6, 2.5];
const ROWS = [SETOSA, VIRGINICA, VIRGINICA, SETOSA];

/** A folder with a file of rows for iris. */
async function withFile(name: string, content: string | Uint8Array) {
  const folder = await temporaryFolder();
  const input = join(folder, name);
  await writeFile(input, content);
  const read = (file: string) => readFile(join(folder, file), "utf8");
  return {
    folder,
    input,
    read,
    batch: (output: string, ...more: string[]) => {
      const files = ["--input", input, "--output", join(folder, output)];
      return nearcast(["batch", "iris@1", "--models", join(root, "models"), ...files, ...more]);
    },
    labels: async (file: string) =>
      (await read(file))
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as { label?: string } | null)?.label ?? null),
  };
}

test("CSV, JSONL and Parquet have the same answers, in order, as JSONL or CSV", async () => {
  const csv = `${HEADER}${ROWS.map((row) => row.join(",")).join("\n")}\n`;
  const jsonl = ROWS.map((row) => `${JSON.stringify(row)}\n`).join("");
  const columnData = NAMES.map((name, column) => {
    return { name, data: ROWS.map((row) => row[column] ?? 0), type: "DOUBLE" as const };
  });
  const parquet = new Uint8Array(parquetWriteBuffer({ columnData }));
  for (const [name, content] of [
    ["in.csv", csv],
    ["in.jsonl", jsonl],
    ["in.parquet", parquet],
  ] as const) {
    const { folder, read, batch, labels } = await withFile(name, content);
    expect(await batch("out.jsonl")).toMatchObject({ code: 0, stderr: "" });
    expect(await labels("out.jsonl")).toEqual(["setosa", "virginica", "virginica", "setosa"]);
    expect(await batch("out.csv")).toMatchObject({ code: 0 });
    const [header, ...lines] = (await read("out.csv")).trimEnd().split("\n");
    expect(header).toBe("label,score,scores.setosa,scores.versicolor,scores.virginica");
    const [first] = (await read("out.jsonl")).split("\n");
    const { label, score } = JSON.parse(first ?? "") as { label: string; score: number };
    expect(lines[0]).toMatch(new RegExp(`^${label},${score},`));
    expect(lines).toHaveLength(ROWS.length);
    expect((await readdir(folder)).toSorted()).toEqual([name, "out.csv", "out.jsonl"].toSorted());
  }
});

test("rows without an answer keep their lines, and are told of in a file and by the exit code", async () => {
  const rows = ["5.1,3.5,1.4,0.2", "1,2", "1,2,3,x", "1,2,3,", "6.3,3.3,6,2.5"];
  const { read, batch, labels } = await withFile("in.csv", HEADER + rows.join("\n"));
  const { code, stderr } = await batch("out.jsonl");
  expect(code).toBe(3);
  expect(stderr).toMatch(
    /^nearcast: 3 of 5 rows have no answer: see .*out\.jsonl\.errors\.jsonl\.$/m,
  );
  expect(await labels("out.jsonl")).toEqual(["setosa", null, null, null, "virginica"]);
  const errors = (await read("out.jsonl.errors.jsonl")).trim().split("\n");
  expect(errors.map((line) => JSON.parse(line) as object)).toMatchObject([
    { line: 3, code: "malformed_request" },
    { line: 4, code: "invalid_input", errors: [{ path: "line 4, column petal_width" }] },
    { line: 5, code: "invalid_input", errors: [{ path: "petal_width" }] },
  ]);
  expect((await batch("out.csv")).code).toBe(3);
  expect((await read("out.csv")).split("\n").slice(2, 5)).toEqual([",,,,", ",,,,", ",,,,"]);
});

test("a run that was ended goes on, and another one begins anew", async () => {
  const { folder, input, batch, labels } = await withFile(
    "in.csv",
    `${HEADER}${"6.3,3.3,6,2.5\n".repeat(2500)}`,
  );
  const whole = await readFile(input);
  // The end of the file cannot be read, so that the run stops before it.
  await writeFile(input, whole.with(whole.length - 2, 0xff));
  const stopped = await batch("out.jsonl");
  expect(stopped).toMatchObject({ code: 1 });
  expect(stopped.stderr).toMatch(/must be UTF-8.*line 2501/);
  await writeFile(input, whole);
  // What a killed process wrote after its last step is no part of the output.
  await writeFile(join(folder, "out.jsonl.partial"), "half a li", { flag: "a" });
  expect(await batch("out.jsonl")).toMatchObject({
    code: 0,
    stderr: "Goes on after 2000 rows.\n",
  });
  expect(await labels("out.jsonl")).toEqual(Array(2500).fill("virginica"));
  expect((await batch("out.jsonl", "--header", "present")).stderr).toBe("");
});

test("what cannot be read is said", async () => {
  const { batch } = await withFile("in.csv", HEADER);
  expect((await batch("out.txt")).stderr).toMatch(/does not end in \.jsonl, \.csv/);
  expect((await batch("out.jsonl")).stderr).toMatch(/has no row/);
  expect((await batch("out.jsonl", "--parameters", "{")).stderr).toMatch(
    /--parameters is not JSON/,
  );
});
