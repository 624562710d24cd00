import { postJson } from "../request.ts";
import type { Recipe } from "./genes.ts";

const CELLS = {
  empty: "",
  number: "0.5",
  quoted: '"0.5"',
  quotes: '""""',
  text: "abc",
  newline: '"a\nb"',
  nan: "NaN",
  mark: "\u0301",
} as const;

const COLUMNS = ["sepal_length", "sepal_width", "petal_length", "petal_width"];
const MODELS = ["iris", "diabetes", "search", "sentiment", "fp32", "retail", "digits", "mixed"];
const LONGEST = 6_400_000;

const csv: Recipe = {
  name: "CSV",
  genes: {
    model: MODELS,
    header: ["named", "present", "absent", "none"],
    rows: [1, 4_000_000],
    columns: [1, 100_000],
    cell: Object.keys(CELLS),
    separator: [",", ";", "\t", "|"],
    end: ["\n", "\r\n", "\r", "\n\n"],
  },
  make({ model, header, rows, columns, cell, separator, end }) {
    const value = CELLS[cell as keyof typeof CELLS];
    const line = `${`${value}${separator}`.repeat(Number(columns)).slice(0, -1)}${end}`;
    if (line.length * Number(rows) > LONGEST) return undefined;
    const top = header === "named" ? `${COLUMNS.join(String(separator))}${end}` : "";
    const declared = header === "present" || header === "absent" ? `; header=${header}` : "";
    return {
      kind: "CSV",
      method: "POST",
      path: "/invocations",
      headers: [
        ["Content-Type", `text/csv${declared}`],
        ["X-Amzn-SageMaker-Target-Model", String(model)],
      ],
      body: Buffer.from(top + line.repeat(Number(rows))),
    };
  },
};

/** One place of a file that ends late, or never. */
const oddCsv: Recipe = {
  name: "CSV with an odd part",
  genes: {
    model: MODELS,
    part: ["quote never closed", "empty lines", "quotes", "spaces", "header", "returns"],
    count: [1, LONGEST],
  },
  make({ model, part, count }) {
    const length = Number(count);
    const row = "5.1,3.5,1.4,0.2\n";
    const text = {
      "quote never closed": `${row}"${"a\n".repeat(length / 2)}`,
      "empty lines": `${row}${"\n".repeat(length)}`,
      quotes: `${row}${'"'.repeat(length)}`,
      spaces: `${" ".repeat(length)}\n${row}`,
      header: `${"a,".repeat(length / 2)}\n${row}`,
      returns: `${row}${"\r".repeat(length)}`,
    }[String(part)];
    return {
      kind: "CSV",
      method: "POST",
      path: "/invocations",
      headers: [
        ["Content-Type", "text/csv"],
        ["X-Amzn-SageMaker-Target-Model", String(model)],
      ],
      body: Buffer.from(text ?? ""),
    };
  },
};

const frame: Recipe = {
  name: "data frame of columns and rows",
  genes: {
    model: ["iris", "diabetes", "retail", "fp32", "mixed", "search"],
    columns: [1, 300_000],
    rows: [1, 2_000_000],
    width: [0, 300_000],
    names: ["numbers", "different", "same", "known"],
    cell: ["0", "null", '""', "[]", "0.5"],
    form: ["split", "records"],
  },
  make({ model, columns, rows, width, names, cell, form }) {
    const nameOf = (index: number): number | string =>
      names === "numbers"
        ? index
        : names === "same"
          ? "a"
          : names === "known"
            ? (COLUMNS[index] ?? `k${index}`)
            : `k${index}`;
    const header: [string, string][] = [["X-Amzn-SageMaker-Target-Model", String(model)]];
    const cells = Number(width);
    if (form === "records") {
      const inner = Array.from({ length: cells }, (_, index) => `"${nameOf(index)}":${cell}`);
      const row = `{${inner.join()}}`;
      if ((row.length + 1) * Number(rows) > LONGEST) return undefined;
      return body(`{"dataframe_records":[${`${row},`.repeat(Number(rows)).slice(0, -1)}]}`, header);
    }
    const row = `[${`${cell},`.repeat(cells).slice(0, -1)}]`;
    if ((row.length + 1) * Number(rows) > LONGEST) return undefined;
    const split = JSON.stringify(Array.from({ length: Number(columns) }, (_, at) => nameOf(at)));
    const data = `[${`${row},`.repeat(Number(rows)).slice(0, -1)}]`;
    return body(`{"dataframe_split":{"columns":${split},"data":${data}}}`, header);
  },
};

function body(text: string, headers: [string, string][]) {
  return { ...postJson("/invocations", {}, headers), body: Buffer.from(text) };
}

export const tableRecipes: Recipe[] = [csv, oddCsv, frame];
