import { isUtf8 } from "node:buffer";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCsv } from "../../functions/inputs/csv.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import type { ModelVersion } from "../../functions/model/registry.ts";
import type { Datatype } from "../../functions/tensor.ts";
import { decodeText } from "../../functions/wire/text.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import type { Target } from "../harness/targets.ts";
import { bytesOf, CSV_CASES, FEATURES, putColumns } from "./csv-files.ts";
import { PLATFORMS, post } from "./platforms.ts";

const served = CSV_CASES.filter(({ model }) => model !== "typed");

function modelWith(manifest: Partial<Manifest>, input: string, batch = 1000): ModelVersion {
  const version = { manifest: { inputs: [], ...manifest }, task: { input }, limits: { batch } };
  return version as unknown as ModelVersion;
}

function tensor(datatype: Datatype): ModelVersion {
  return modelWith({ inputs: [{ name: "x", datatype, shape: [-1, 2] }] }, "tensors");
}

const typed = modelWith({ features: [...FEATURES.typed] }, "features");

function read(cell: string): unknown[] {
  return readCsv(`id,count\n${cell},1\n`, undefined, typed).rows;
}

describe("cells have the types of the features", () => {
  test.each(CSV_CASES.filter(({ model }) => model === "typed"))("$name", async (one) => {
    const text = decodeText(await bytesOf(one), { what: "The body" });
    const read = () => readCsv(text, undefined, typed).rows;
    if (one.refused === undefined) expect(read()).toStrictEqual(one.rows);
    else expect(read).toThrow(one.refused);
  });

  test.each([
    ["number", " 1.5", 1.5],
    ["number", "-1e-3", -0.001],
    ["number", "NaN", undefined],
    ["number", "None", undefined],
    ["number", "-inf", -Infinity],
    ["number", "0x10", /must be a number, is "0x10"/],
    ["number", "1_000", /must be a number/],
    ["number", "1,000", /decimal point/],
    ["integer", "3.0", 3],
    ["boolean", "True", true],
    ["boolean", "FALSE", false],
    ["boolean", "1", true],
    ["boolean", "yes", /must be true or false/],
    ["string", "True", "True"],
    ["string", "", undefined],
  ] as const)("%s from %j", (type, cell, value) => {
    const quoted = cell.includes(",") ? `"${cell}"` : cell;
    const features = [
      { name: "x", type },
      { name: "y", type: "integer" },
    ] as const;
    const read = () =>
      readCsv(`x,y\n${quoted},1\n`, undefined, modelWith({ features: [...features] }, "features"));
    if (value instanceof RegExp) expect(read).toThrow(value);
    else expect(read().rows).toStrictEqual([{ ...(value !== undefined && { x: value }), y: 1 }]);
  });

  test("a text in quotes is empty, or NA; without quotes it is missing, or neither", () => {
    expect(read('""')).toEqual([{ id: "", count: 1 }]);
    expect(read('"NA"')).toEqual([{ id: "NA", count: 1 }]);
    expect(read("")).toEqual([{ count: 1 }]);
    expect(() => read("NA")).toThrow("line 2, column id is NA");
  });

  test("tensors have the types of their datatypes", () => {
    const rows = (text: string, datatype: Datatype) =>
      readCsv(text, undefined, tensor(datatype)).rows;
    expect(rows("a,b\n1,\n", "FP32")).toEqual([[1, "NaN"]]);
    expect(rows("9007199254740993,-1\n", "INT64")).toEqual([[9007199254740993n, -1]]);
    expect(rows("True,False\n", "BOOL")).toEqual([[true, false]]);
    expect(() => rows("1,\n", "INT32")).toThrow("line 1, column 2 is missing");
    expect(() => rows("007,x\n", "BYTES")).toThrow("may be a header or a row");
    expect(readCsv("007,x\n", "absent", tensor("BYTES")).rows).toEqual([["007", "x"]]);
  });
});

describe.each(inThisFile(PLATFORMS))("CSV on %s", (platform, start) => {
  let server: Target;
  beforeAll(async () => {
    server = await start();
    await putColumns(server);
  });
  afterAll(() => server?.stop());

  async function send(body: Uint8Array | string, model: string, headers = {}) {
    const response = await server.fetch("/invocations", {
      method: "POST",
      headers: {
        "Content-Type": "text/csv",
        "X-Amzn-SageMaker-Target-Model": model,
        ...headers,
      },
      body: new Uint8Array(Buffer.from(body)),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  test.each(served)("$name", async (one) => {
    const { model, contentType, rows, refused } = one;
    const bytes = await bytesOf(one);
    const headers = { "Content-Type": contentType };
    let answer = await send(bytes, model, headers);
    if (platform === "lambda" && !isUtf8(bytes)) {
      // AWS replaces what is not UTF-8 in text. It hands over compressed bodies as they are.
      expect(answer).toMatchObject({ status: 400 });
      expect(answer.body["message"]).toContain("The gateway before this function");
      answer = await send(gzipSync(bytes), model, { ...headers, "Content-Encoding": "gzip" });
    }
    if (rows === undefined) {
      expect(answer.status).toBeOneOf([400, 422]);
      expect(answer.body["message"]).toContain(refused);
      return;
    }
    const inputs = model === "sentiment" ? rows.map(({ text }) => text) : rows;
    const expected = await post(server, `/v1/models/${model}/predict`, { inputs });
    expect(expected.status).toBe(200);
    expect(answer).toEqual({ status: 200, body: { predictions: expected.body["outputs"] } });
  });

  test("missing cells are the missing values of features that may lack", async () => {
    const names = ["age", "income", "member", "city"];
    const full = ["40", "2.5", "True", "Bergen"];
    const given = { age: 40, income: 2.5, member: true, city: "Bergen" };
    for (const [column, name] of names.entries())
      for (const cell of ["", "NA", "NaN", "None"]) {
        if (name === "city" && cell !== "" && cell !== "NA") continue;
        const row = full.with(column, cell).join(",");
        const inputs = [{ ...given, [name]: null }];
        const expected = await post(server, "/v1/models/gaps/predict", { inputs });
        expect(expected.status).toBe(200);
        expect(await send(`${names.join(",")}\n${row}\n`, "gaps")).toEqual({
          status: 200,
          body: { predictions: expected.body["outputs"] },
        });
      }
    const unnamed = await send(",income,member,city\n40,2.5,True,Oslo\n", "gaps");
    expect(unnamed.body["message"]).toContain("column 1 has no name");
  });

  test("empty lines, and rows beyond the limit, are not read", async () => {
    const header = "sepal_length,sepal_width,petal_length,petal_width\n";
    const compressed = { "Content-Encoding": "gzip" };
    const empty = await send(gzipSync(header + "\n".repeat(1_000_000)), "iris", compressed);
    expect(empty.body["message"]).toContain("it has 1003 empty lines and 1 rows");
    const many = await send(gzipSync(header + "5,3,1,1\n".repeat(130_000)), "iris", compressed);
    expect(many.body["message"]).toContain("at most 1000 rows");
    const wide = await send(gzipSync(",".repeat(1_000_000)), "iris", compressed);
    expect(wide.body["message"]).toContain("line 1 has more than 10004 cells");
  });

  test("exactly as many rows as the limit", async () => {
    const row = "5.1,3.5,1.4,0.2\n";
    const { body } = await send(row.repeat(1000), "iris");
    expect(body["predictions"]).toHaveLength(1000);
    expect((await send(row.repeat(1001), "iris")).status).toBe(422);
  });
});
