import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import { targets, type Target } from "../harness/targets.ts";
import { putTables, REFUSED, TABLES, type TableCase } from "./recorded-tables.ts";

type Rows = readonly (readonly unknown[])[];

interface Request {
  path: string;
  type?: string;
  body: string | Uint8Array;
  headers?: Record<string, string>;
}

/** Asks for rows, and reads the numbers of the answer, one array for each row. */
interface Form {
  request: (table: TableCase, rows: Rows) => Request;
  numbers: (table: TableCase, answer: never) => number[][];
}

const json = (path: string, body: unknown, headers = {}): Request => ({
  path,
  body: JSON.stringify(body),
  headers,
});

const named = ({ features }: TableCase, row: readonly unknown[]) =>
  Object.fromEntries(features.map(({ name }, index) => [name, row[index]]));
/** Without the members that have no value. */
const sparse = (table: TableCase, row: readonly unknown[]) =>
  Object.fromEntries(Object.entries(named(table, row)).filter(([, value]) => value !== null));
const columns = ({ features }: TableCase, rows: Rows) =>
  Object.fromEntries(features.map(({ name }, index) => [name, rows.map((row) => row[index])]));
const NaNs = ({ features }: TableCase, rows: Rows) =>
  rows.map((row) =>
    row.map((value, index) =>
      value === null && features[index]?.type !== "string" ? "NaN" : value,
    ),
  );

interface Labelled {
  value?: number;
  scores?: Record<string, number>;
}

const taskNumbers = ({ labels }: TableCase, outputs: readonly Labelled[]) =>
  outputs.map(({ value, scores }) =>
    labels ? labels.map((label) => scores?.[label] ?? NaN) : [value ?? NaN],
  );

const native = (rowOf: (table: TableCase, rows: Rows) => unknown): Form => ({
  request: (table, rows) =>
    json(`/v1/models/${table.name}/predict`, { inputs: rowOf(table, rows) }),
  numbers: (table, { outputs }: { outputs: Labelled[] }) => taskNumbers(table, outputs),
});

const invocation = (body: (table: TableCase, rows: Rows) => unknown): Form => ({
  request: (table, rows) =>
    json("/invocations", body(table, rows), { "X-Amzn-SageMaker-Target-Model": table.name }),
  numbers: (table, { predictions }: { predictions: Labelled[] }) => taskNumbers(table, predictions),
});

const serving = (body: (table: TableCase, rows: Rows) => unknown): Form => ({
  request: (table, rows) => json(`/v1/models/${table.name}:predict`, body(table, rows)),
  numbers: (_, answer: { predictions?: number[][]; outputs?: number[][] }) =>
    answer.predictions ?? answer.outputs ?? [],
});

/** The graph's tensors of the rows, by input. The manifest says which columns each input takes. */
function tensorsOf({ inputs, features }: TableCase, rows: Rows) {
  let next = 0;
  const named = inputs.every(({ name }) => features.some((feature) => feature.name === name));
  return inputs.map((input) => {
    const width = input.shape[1] ?? 1;
    const start = named ? features.findIndex(({ name }) => name === input.name) : next;
    next += width;
    return {
      input,
      shape: [rows.length, width],
      data: rows.map((row) => row.slice(start, start + width)),
    };
  });
}

const v2 = (dataOf: (data: unknown[][]) => unknown): Form => ({
  request: (table, rows) =>
    json(`/v2/models/${table.name}/infer`, {
      inputs: tensorsOf(table, rows).map(({ input: { name, datatype }, shape, data }) => ({
        name,
        datatype,
        shape,
        data: dataOf(data),
      })),
    }),
  numbers: (_, { outputs }: { outputs: { shape: number[]; data: number[] }[] }) => {
    const { shape = [], data = [] } = outputs[0] ?? {};
    const width = shape[1] ?? 1;
    return Array.from({ length: shape[0] ?? 0 }, (_, row) =>
      data.slice(row * width, (row + 1) * width),
    );
  },
});

/** An empty cell is a missing value. */
const csv = (table: TableCase, rows: Rows): Request => ({
  path: "/invocations",
  type: "text/csv",
  body: [table.features.map(({ name }) => name), ...rows]
    .map((row) => `${(row as (string | number | null)[]).map((value) => value ?? "").join(",")}\n`)
    .join(""),
  headers: { "X-Amzn-SageMaker-Target-Model": table.name },
});

const FORMS: Record<string, Form> = {
  "native rows by name": native((table, rows) => rows.map((row) => named(table, row))),
  "native rows by name, some absent": native((table, rows) =>
    rows.map((row) => sparse(table, row)),
  ),
  "native rows by position": native((_, rows) => rows),
  'native rows with "NaN"': native(NaNs),
  "instances of TensorFlow Serving by name": serving((table, rows) => ({
    instances: rows.map((row) => named(table, row)),
  })),
  "instances of TensorFlow Serving by position": serving((_, rows) => ({ instances: rows })),
  "columns of TensorFlow Serving": serving((table, rows) => ({ inputs: columns(table, rows) })),
  "tensors of TensorFlow Serving": serving((table, rows) => ({
    inputs: Object.fromEntries(
      tensorsOf(table, rows).map(({ input: { name }, data }) => [name, data]),
    ),
  })),
  dataframe_split: invocation(({ features }, rows) => ({
    dataframe_split: { columns: features.map(({ name }) => name), data: rows },
  })),
  dataframe_records: invocation((table, rows) => ({
    dataframe_records: rows.map((row) => named(table, row)),
  })),
  "instances of MLflow": invocation((table, rows) => ({
    instances: rows.map((row) => named(table, row)),
  })),
  CSV: { ...invocation(() => undefined), request: csv },
  "inputs of MLflow by column": invocation((table, rows) => ({ inputs: columns(table, rows) })),
  "inputs of MLflow by row": invocation((table, rows) => ({
    inputs: rows.map((row) => named(table, row)),
  })),
  "v2, flat": v2((data) => data.flat()),
  "v2, nested": v2((data) => data),
  'v2 with "NaN"': v2((data) => data.flat().map((value) => value ?? "NaN")),
};

describe.each(inThisFile(Object.entries(targets)))("on %s", (_name, start) => {
  let server: Target;
  beforeAll(async () => {
    server = await start();
    await putTables(server.store);
  });
  afterAll(() => server?.stop());

  async function ask({ path, body, type = "application/json", headers }: Request) {
    const response = await server.fetch(path, {
      method: "POST",
      headers: { "Content-Type": type, ...headers },
      body: body as string,
    });
    return { status: response.status, text: await response.text() };
  }

  describe.each(TABLES.map((table) => [table.name, table] as const))("%s", (_, table) => {
    test.each(Object.entries(FORMS).filter(([form]) => !/"NaN"/.test(form) || takesNaN(table)))(
      "%s",
      async (_form, { request, numbers }) => {
        const { status, text } = await ask(request(table, table.rows));
        expect(status, text).toBe(200);
        expectNumbers(numbers(table, JSON.parse(text) as never), table);
      },
    );

    test("what pandas writes", async () => {
      const headers = { "X-Amzn-SageMaker-Target-Model": table.name };
      for (const [type, body] of [
        ["application/json", `{"dataframe_split":${table.split}}`],
        ["application/json", `{"dataframe_records":${table.records}}`],
        ["text/csv", table.csv],
      ] as const) {
        const { status, text } = await ask({ path: "/invocations", type, body, headers });
        expect(status, text).toBe(200);
        const { predictions } = JSON.parse(text) as { predictions: Labelled[] };
        expectNumbers(taskNumbers(table, predictions), table);
      }
    });
  });

  test("NaN in binary tensors is a missing value", async () => {
    const table = tableOf("hist-gradient-boosting");
    const { status, text } = await binary(table, floats(table.rows));
    expect(status, text).toBe(200);
    expectNumbers(FORMS["v2, flat"]?.numbers(table, JSON.parse(text) as never) ?? [], table);
    const refused = await binary(tableOf("random-forest"), floats([[NaN, 7.25, 3]]));
    expect(refused.status).toBe(422);
    expect(refused.text).toContain("inputs.X of row 0: age is missing (NaN)");
  });

  function binary({ name }: TableCase, data: Float32Array) {
    const size = data.byteLength;
    const inputs = [
      {
        name: "X",
        datatype: "FP32",
        shape: [data.length / 3, 3],
        parameters: { binary_data_size: size },
      },
    ];
    const head = Buffer.from(JSON.stringify({ inputs }));
    return ask({
      path: `/v2/models/${name}/infer`,
      type: "application/octet-stream",
      headers: { "Inference-Header-Content-Length": String(head.length) },
      body: Buffer.concat([head, new Uint8Array(data.buffer)]),
    });
  }

  describe.each(REFUSED.map((one) => [one.name, one] as const))(
    "%s",
    (_, { model, rows, refused }) => {
      const table = tableOf(model);
      const kind = table.features.find(({ name }) => name === refused)?.type;
      test.each(Object.entries(FORMS).filter(([form]) => !/"NaN"/.test(form) || kind !== "string"))(
        "%s",
        async (_form, { request }) => {
          const { status, text } = await ask(request(table, rows));
          expect([status, text]).toEqual([422, expect.stringContaining(refused)]);
          expect(text).toContain("is missing");
        },
      );
    },
  );

  test("NaN as Python writes it is no JSON, and the refusal says what is", async () => {
    const headers = { "X-Amzn-SageMaker-Target-Model": "hist-gradient-boosting" };
    for (const [path, body] of [
      ["/v1/models/hist-gradient-boosting/predict", '{"inputs": [[NaN, 7.25, 3]]}'],
      ["/invocations", '{"instances": [{"age": NaN, "fare": 7.25, "class": 3}]}'],
    ] as const) {
      const { status, text } = await ask({ path, body, headers });
      expect(status).toBe(400);
      expect(JSON.parse(text)).toMatchObject({
        [path === "/invocations" ? "message" : "detail"]:
          'The body is not JSON: JSON has no NaN; write it as the string "NaN", or null for a missing value',
      });
    }
  });

  test("columns that differ in length are refused: the shorter ones have no missing values", async () => {
    const table = tableOf("hist-gradient-boosting");
    const inputs = { age: [1, 2], fare: [1], class: [1, 2] };
    const headers = { "X-Amzn-SageMaker-Target-Model": table.name };
    for (const { status, text } of [
      await ask(json(`/v1/models/${table.name}:predict`, { inputs })),
      await ask(json("/invocations", { inputs }, headers)),
    ]) {
      expect(status).toBe(422);
      expect(text).toContain("inputs.fare has 1 values, inputs.age has 2");
    }
  });

  test("a row of tensors is told from a row of features", async () => {
    const table = tableOf("mixed-columns");
    const row = { age: [31], fare: [7.25], sex: ["male"], port: ["S"], class: [3] };
    const path = `/v1/models/${table.name}:predict`;
    const arrays = await ask(json(path, { instances: [row] }));
    const single = await ask(
      json(path, { instances: [{ age: 31, fare: 7.25, sex: "male", port: "S", class: 3 }] }),
    );
    expect([arrays.status, arrays.text]).toEqual([200, single.text]);
    const both = await ask(json(path, { instances: [{ ...row, fare: 7.25 }] }));
    expect(both.status).toBe(422);
    expect(both.text).toContain("instances[0].age must be a number");
  });
});

function tableOf(name: string): TableCase {
  const table = TABLES.find((one) => one.name === name);
  if (!table) throw new Error(`there is no table ${name}`);
  return table;
}

function takesNaN({ features, rows }: TableCase): boolean {
  return (
    rows.flat().includes(null) &&
    features.every(({ type }) => type !== "string") &&
    features.every(({ missing }) => missing === "NaN")
  );
}

function floats(rows: Rows): Float32Array {
  return Float32Array.from(rows.flat(), (value) => (value === null ? NaN : (value as number)));
}

function expectNumbers(actual: number[][], { probabilities, values = [] }: TableCase): void {
  const wanted = probabilities ?? values.map((value) => [value]);
  expect(actual).toHaveLength(wanted.length);
  for (const [row, numbers] of wanted.entries())
    for (const [column, number] of numbers.entries())
      expect(
        Math.abs((actual[row]?.[column] ?? NaN) - number),
        `row ${row}, column ${column}: ${actual[row]?.[column]} for ${number}`,
      ).toBeLessThan(1e-5 * Math.max(1, Math.abs(number)));
}
