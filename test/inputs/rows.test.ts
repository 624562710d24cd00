import { parquetWriteBuffer } from "hyparquet-writer";
import { parquetMetadata } from "hyparquet";
import { describe, expect, test } from "vitest";
import { readCsv, type RowsModel } from "../../functions/inputs/csv.ts";
import { readGroup } from "../../functions/inputs/parquet-pages.ts";
import type { Rows } from "../../functions/inputs/row.ts";
import { readRows } from "../../functions/inputs/rows.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import type { InputKind } from "../../functions/tasks/define.ts";
import { decodeText } from "../../functions/wire/text.ts";
import { bytesOf, CSV_CASES, FEATURES } from "../dialects/csv-files.ts";
import { fileOf, rowsOf } from "./files.ts";

function modelOf(features: Manifest["features"], input: InputKind = "features"): RowsModel {
  const limits = { batch: 1000 };
  return { manifest: { inputs: [], ...(features && { features }) }, task: { input }, limits };
}

const typed = modelOf([...FEATURES.typed]);
const texts = modelOf(undefined, "text");
const numbers = modelOf(["a", "b"].map((name) => ({ name, type: "number" })));

/** JSON has no infinite numbers. */
const withWords = (row: unknown) =>
  Object.fromEntries(
    Object.entries(row as object).map(([name, value]) => [
      name,
      value === Infinity || value === -Infinity ? String(value) : (value as unknown),
    ]),
  );

describe("CSV in pieces is read as a body of CSV", () => {
  const readable = CSV_CASES.filter(
    ({ model, refused }) => model === "typed" && refused === undefined,
  );
  test.each(readable)("$name", async (one) => {
    const bytes = await bytesOf(one);
    const whole = readCsv(decodeText(bytes, { what: "The file" }), undefined, typed);
    const rows = await rowsOf(bytes, typed);
    expect(rows.map(({ input }) => input)).toStrictEqual(whole.rows.map(withWords));
    expect(rows.map(({ line }) => line)).toEqual(whole.lines);
  });
});

test("a text with line ends in it is one row, however the file is cut", async () => {
  const cells = ["one", "two\nlines", 'a "quoted" one', "\r\n", "last"];
  const csv = `text\n${cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join("\n")}`;
  for (const [rows, bytes] of [
    [1, 1],
    [2, 1000],
    [1000, 9],
  ] as const) {
    const read = await rowsOf(csv, texts, { rows, bytes });
    expect(read.map(({ input }) => input)).toEqual(cells);
    expect(read.map(({ line }) => line)).toEqual([2, 3, 5, 6, 8]);
  }
});

test("a wrong row has an error with its line, and the others are read", async () => {
  const rows = await rowsOf("a,b\n1,2\n3,4\n5\n6,x\n7,8\n", numbers);
  expect(rows.map(({ line }) => line)).toEqual([2, 3, 4, 5, 6]);
  expect(rows.map(({ input }) => input)).toEqual([
    { a: 1, b: 2 },
    { a: 3, b: 4 },
    undefined,
    undefined,
    { a: 7, b: 8 },
  ]);
  expect(rows[2]?.error?.detail).toBe("Line 4 of the CSV has 1 cell, the header has 2 columns.");
  expect(rows[3]?.error?.errors).toEqual([
    { path: "line 5, column b", message: 'must be a number, is "x"' },
  ]);
  const lines = await rowsOf('{"input": 1, "label": 2}\n\nnope\n[3]', texts, { format: "jsonl" });
  expect(lines.map(({ line, input }) => [line, input])).toEqual([
    [1, 1],
    [3, undefined],
    [4, [3]],
  ]);
  expect(lines[1]?.error?.code).toBe("malformed_json");
});

test.each<[InputKind, RegExp | undefined]>([
  ["image", /at most 2 rows/],
  ["tensors", undefined],
])(
  "three rows of CSV for %s, where two are the limit and no dimension is the batch",
  (input, refused) => {
    const { limits, ...model } = modelOf(undefined, input);
    const read = () =>
      readCsv("1\n2\n3\n", "absent", {
        ...model,
        manifest: {
          inputs: [{ name: "x", datatype: "FP32", shape: [-1, 1] }],
          batchDimension: null,
        },
        limits: { ...limits, batch: 2 },
      });
    if (refused) expect(read).toThrow(refused);
    else expect(read().rows).toHaveLength(3);
  },
);

test("reading goes on where it was ended", async () => {
  const csv = "a;b\n1;2\n3;4,5\n5;6\n7;8\n9;10\n";
  const options = { format: "csv", rows: 2, bytes: 1000, lineBytes: 1000 } as const;
  const { value: first } = (await readRows(fileOf(csv), numbers, options).next()) as {
    value: Rows;
  };
  const rest = await rowsOf(csv, numbers, { from: first.next });
  expect([...first.rows, ...rest]).toEqual(await rowsOf(csv, numbers));
  // The decimal mark is that of the whole file.
  await expect(rowsOf(`${csv}1;2.5\n`, numbers, { from: first.next })).rejects.toThrow(
    /decimal comma and with a point/,
  );
});

test.each([
  ["an empty file", "", numbers, /^The file is empty/],
  ["a file of no CSV", "\u0000\u0001\u0002%PDF\n1\n2\n", numbers, /./],
  ["another table", "x,y\n1,2\n", numbers, /not a feature|neither/],
  ["UTF-16", Buffer.from("\uFEFFa,b\n1,2\n", "utf16le"), numbers, /is UTF-16/],
  ["other bytes", Buffer.from("a,b\n1,2\n1,2\n3,\xE9\n", "latin1"), numbers, /on line 4/],
  [
    "a line over the limit",
    `a,b\n1,${"2".repeat(20_000)}\n`,
    numbers,
    /Line 2 has more than 10000/,
  ],
  ["a quote that is never closed", `text\n"a\n${"b\n".repeat(9000)}`, texts, /never closed/],
  ["a misplaced quote", 'text\n"a\nb"c\n', texts, /text after a closing quote/],
  ["whole tensors", "1,2\n", modelOf(undefined, "tensors"), /whole tensors/],
])("%s is refused", async (_, content, model, message) => {
  await expect(rowsOf(content, model)).rejects.toThrow(message);
});

function parquetFile(rows: number): Uint8Array {
  const data = Array.from({ length: rows }, (_, row) => row);
  const gaps = data.map((row) => (row % 3 === 0 ? null : BigInt(row)));
  const columnData = [
    { name: "a", data, type: "DOUBLE" as const },
    { name: "b", data: gaps, type: "INT64" as const },
    { name: "__index_level_0__", data: data.map(BigInt), type: "INT64" as const },
  ];
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 5 }));
}

/** Rows of one value, which Parquet keeps once. */
function sameRows(rows: number, rowGroupSize = rows): Uint8Array<ArrayBuffer> {
  const data = Array<number>(rows).fill(5.1);
  const columnData = ["a", "b"].map((name) => ({ name, data, type: "DOUBLE" as const }));
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize }));
}

describe("Parquet", () => {
  const parquet = { format: "parquet" } as const;
  test("rows of all groups are read, and reading goes on where it was ended", async () => {
    const rows = await rowsOf(parquetFile(12), numbers, parquet);
    expect(rows).toEqual(
      Array.from({ length: 12 }, (_, row) => ({
        line: row + 1,
        input: row % 3 === 0 ? { a: row } : { a: row, b: row },
      })),
    );
    const from = { offset: 7, line: 8 };
    expect(await rowsOf(parquetFile(12), numbers, { ...parquet, from })).toEqual(rows.slice(7));
  });

  test("a column is the input of a model without features", async () => {
    const data = ["one", "two"];
    const one = parquetWriteBuffer({ columnData: [{ name: "text", data, type: "STRING" }] });
    const rows = await rowsOf(new Uint8Array(one), texts, parquet);
    expect(rows.map(({ input }) => input)).toEqual(data);
    await expect(rowsOf(parquetFile(1), texts, parquet)).rejects.toThrow(/must be one/);
  });

  test("what is no Parquet, or declares more than it has, is refused before it is decoded", async () => {
    await expect(rowsOf("no Parquet at all", numbers, parquet)).rejects.toThrow(/is no Parquet/);
    const whole = parquetFile(12);
    await expect(rowsOf(whole.slice(0, 8).with(0, 0), numbers, parquet)).rejects.toThrow(
      /too short/,
    );
    // A copy that lacks a part in the middle.
    const cut = Buffer.concat([whole.slice(0, 4), whole.slice(40)]);
    await expect(rowsOf(new Uint8Array(cut), numbers, parquet)).rejects.toThrow(/Parquet/);
    const { row_groups: groups } = parquetMetadata(whole);
    const [group] = groups;
    if (!group) return expect.unreachable();
    const declaring = (rows: bigint) =>
      readGroup(fileOf(whole), { ...group, num_rows: rows }, 2 ** 28);
    await expect(declaring(5n)).resolves.toBeDefined();
    await expect(declaring(6n)).rejects.toThrow(/other numbers of values/);
    await expect(declaring(4n)).rejects.toThrow(/other numbers of values/);
    await expect(declaring(10_000_000n)).rejects.toThrow(/row group of 10000000 rows/);
  });

  /** The first piece of a file. */
  const first = (content: Uint8Array<ArrayBuffer>) =>
    readRows(fileOf(content), numbers, {
      ...parquet,
      rows: 10,
      bytes: 1000,
      lineBytes: 1000,
    }).next();

  test("rows are paid for with the file's bytes, and a row group has a bound", async () => {
    const few = sameRows(65_536);
    expect(few.length).toBeLessThan(2000);
    await expect(first(few)).resolves.toBeDefined();
    await expect(first(sameRows(200_000))).rejects.toThrow(
      /has 200000 rows in \d+ bytes; more than 65536 need a byte for each 64/,
    );
    await expect(first(sameRows(1_048_577))).rejects.toThrow(
      /row group of more than 1048576 rows. Write it with smaller row groups/,
    );
  });

  test("a column of flags is no small file", async () => {
    const flags = Array.from({ length: 150_000 }, (_, row) => (row * row) % 7 < 3);
    const columnData = [{ name: "a", data: flags, type: "BOOLEAN" as const }];
    const file = new Uint8Array(parquetWriteBuffer({ columnData, codec: "UNCOMPRESSED" }));
    expect(flags.length / file.length).toBeGreaterThan(7);
    await expect(first(file)).resolves.toBeDefined();
  });

  test("others have their turns between the columns of a group", async () => {
    const pieces = readRows(fileOf(sameRows(20, 10)), numbers, {
      ...parquet,
      rows: 10,
      bytes: 1e6,
      lineBytes: 1000,
    });
    const sizes: number[] = [];
    for await (const { rows } of pieces) sizes.push(rows.length);
    expect(sizes).toEqual([0, 0, 10, 0, 0, 10]);
  });
});
