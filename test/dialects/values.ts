import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Target } from "../harness/targets.ts";

/** Requests and answers are compared as JSON text, because JavaScript's own reader would round numbers. */
interface Form {
  path: (model: string) => string;
  headers?: (model: string) => Record<string, string>;
  /** A body with one element as a tensor of three dimensions. */
  one: (datatype: string, element: string) => string;
  /** A body with a tensor of the shape [2, 0, 3]. Undefined if the dialect cannot express it. */
  empty?: (datatype: string) => string;
  /** The text before and after the element in the answer. */
  around: [before: string, after: string];
  emptyAnswer?: string;
}

const target = (model: string) => ({ "X-Amzn-SageMaker-Target-Model": model });

const FORMS: Record<string, Form> = {
  native: {
    path: (model) => `/v1/models/${model}/predict`,
    one: (_, element) => `{"inputs":{"x":[[[${element}]]]}}`,
    empty: () => `{"inputs":{"x":{"shape":[2,0,3],"data":[]}}}`,
    around: ['"outputs":{"y":[[[', "]]]}"],
    emptyAnswer: '"outputs":{"y":[[],[]]}',
  },
  "native, described": {
    path: (model) => `/v1/models/${model}/predict`,
    one: (_, element) => `{"inputs":{"x":{"shape":[1,1,1],"data":[${element}]}}}`,
    around: ['"outputs":{"y":[[[', "]]]}"],
  },
  v2: {
    path: (model) => `/v2/models/${model}/infer`,
    one: (datatype, element) =>
      `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[1,1,1],"data":[${element}]}]}`,
    empty: (datatype) =>
      `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[2,0,3],"data":[]}]}`,
    around: ['"data":[', "]"],
    emptyAnswer: '"shape":[2,0,3],"data":[]',
  },
  "v2, nested": {
    path: (model) => `/v2/models/${model}/infer`,
    one: (datatype, element) =>
      `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[1,1,1],"data":[[[${element}]]]}]}`,
    around: ['"data":[', "]"],
  },
  "instances of TensorFlow Serving": {
    path: (model) => `/v1/models/${model}:predict`,
    one: (_, element) => `{"instances":[[[${element}]]]}`,
    empty: () => `{"instances":[[],[]]}`,
    around: ['{"predictions":[[[', "]]]}"],
    emptyAnswer: '{"predictions":[[],[]]}',
  },
  "named instances of TensorFlow Serving": {
    path: (model) => `/v1/models/${model}:predict`,
    one: (_, element) => `{"instances":[{"x":[[${element}]]}]}`,
    around: ['{"predictions":[[[', "]]]}"],
  },
  "inputs of TensorFlow Serving": {
    path: (model) => `/v1/models/${model}:predict`,
    one: (_, element) => `{"inputs":{"x":[[[${element}]]]}}`,
    empty: () => `{"inputs":[[],[]]}`,
    around: ['{"outputs":[[[', "]]]}"],
    emptyAnswer: '{"outputs":[[],[]]}',
  },
  "inputs of MLflow": {
    path: () => "/invocations",
    headers: target,
    one: (_, element) => `{"inputs":{"x":[[[${element}]]]}}`,
    empty: () => `{"inputs":[[],[]]}`,
    around: ['{"predictions":[[[', "]]]}"],
    emptyAnswer: '{"predictions":[[],[]]}',
  },
  "instances of MLflow": {
    path: () => "/invocations",
    headers: target,
    one: (_, element) => `{"instances":[[[${element}]]]}`,
    around: ['{"predictions":[[[', "]]]}"],
  },
};

/** What goes in, and what comes out. */
const KEPT: [datatype: string, element: string, answer: string][] = [
  ["FP32", "0.5", "0.5"],
  ["FP32", '"NaN"', '"NaN"'],
  ["FP32", '"Infinity"', '"Infinity"'],
  ["FP32", '"-Infinity"', '"-Infinity"'],
  ["FP32", "-0.0", "-0.0"],
  ["FP32", "-0", "-0.0"],
  ["FP32", "3.4028235e38", "3.4028234663852886e+38"],
  ["FP32", "1e-60", "0"],
  ["FP64", '"NaN"', '"NaN"'],
  ["FP64", "-0.0", "-0.0"],
  ["FP64", "1e308", "1e+308"],
  ["FP64", "5e-324", "5e-324"],
  // Like any decimal: the nearest number.
  ["FP64", "9007199254740993", "9007199254740992"],
  ["FP32", "16777217", "16777216"],
  ["FP16", '"NaN"', '"NaN"'],
  ["FP16", '"-Infinity"', '"-Infinity"'],
  ["FP16", "-0.0", "-0.0"],
  ["FP16", "65504", "65504"],
  ["INT8", "-128", "-128"],
  ["INT8", '"-128"', "-128"],
  ["INT32", "2147483647", "2147483647"],
  ["INT32", "1.0", "1"],
  ["UINT32", "4294967295", "4294967295"],
  ["INT64", "-9007199254740991", "-9007199254740991"],
  ["INT64", "-4294967297", "-4294967297"],
  ["UINT64", "4294967296", "4294967296"],
  ["INT64", '"42"', "42"],
  ["BOOL", "true", "true"],
  ["BOOL", "false", "false"],
  ["BOOL", "1", "true"],
  ["BOOL", "0", "false"],
  ["BYTES", '"Ünï 👍"', '"Ünï 👍"'],
  ["BYTES", '"NaN"', '"NaN"'],
  ["BYTES", '{"b64":"w5w="}', '"Ü"'],
];

/** Requests have long integers as decimal strings. Native answers have strings too, others have digits. */
const LONG: [datatype: string, digits: string][] = [
  ["INT64", "9007199254740993"],
  ["INT64", "-9223372036854775808"],
  ["INT64", "9223372036854775807"],
  ["UINT64", "18446744073709551615"],
];

const REFUSED: [datatype: string, element: string, reason: string][] = [
  ["FP32", "1e39", "must be a number that FP32 can hold"],
  ["FP32", "-1e300", "must be a number that FP32 can hold"],
  ["FP32", "1e999", "must be a number that FP32 can hold"],
  ["FP64", "-1e999", "must be a number that FP64 can hold"],
  ["FP16", "65520", "must be a number that FP16 can hold"],
  ["FP32", '"0.5"', "must be a number that FP32 can hold"],
  ["FP32", '"nan"', "must be a number that FP32 can hold"],
  ["FP32", '"toString"', "must be a number that FP32 can hold"],
  ["FP32", "null", "must be a number that FP32 can hold"],
  ["FP32", "true", "must be a number that FP32 can hold"],
  ["INT8", "128", "must be from -128 to 127 (INT8)"],
  ["UINT8", "-1", "must be from 0 to 255 (UINT8)"],
  ["INT32", "0.5", "must be an integer"],
  ["INT32", "true", "must be an integer"],
  ["INT64", '"1.0"', "must be an integer"],
  ["INT64", "9007199254740993.0", "must be an integer"],
  ["INT64", "1e300", "must be an integer"],
  ["INT64", '"NaN"', "must be an integer"],
  ["INT64", '"9223372036854775808"', "must be from -9223372036854775808 to 9223372036854775807"],
  ["UINT64", '"-1"', "must be from 0 to 18446744073709551615"],
  ["UINT64", "-1", "must be from 0 to 18446744073709551615"],
  ["BOOL", "2", "must be true or false"],
  ["BOOL", '"true"', "must be true or false"],
  ["BYTES", "5", "must be a string"],
  ["BYTES", '"\\u0000"', "must not contain a NUL character"],
  ["BYTES", '"\\ud800"', "must be well-formed Unicode"],
  ["BYTES", '{"b64":"/w=="}', "has a BYTES element that is not UTF-8"],
];

/** Which values each dialect keeps, and which it refuses. */
export function values(start: () => Promise<Target>): void {
  let server: Target;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.stop());

  async function ask({ path, headers }: Form, model: string, body: string) {
    const response = await server.fetch(path(model), {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers?.(model) },
      body,
    });
    return { status: response.status, text: await response.text() };
  }

  function inferNumbers(shape: number[], data: unknown) {
    const inputs = [{ name: "x", datatype: "FP32", shape, data }];
    return ask(FORMS["v2"] as Form, "fp32", JSON.stringify({ inputs }));
  }

  describe.each(Object.entries(FORMS))("%s", (form, { one, empty, around, emptyAnswer }) => {
    const by = FORMS[form] as Form;

    test("values are kept", async () => {
      for (const [datatype, element, answer] of KEPT) {
        const { status, text } = await ask(by, datatype.toLowerCase(), one(datatype, element));
        expect([datatype, element, status, text]).toEqual([
          datatype,
          element,
          200,
          expect.stringContaining(around.join(answer)),
        ]);
      }
    });

    test("64-bit integers keep every digit", async () => {
      for (const [datatype, digits] of LONG) {
        const answer = form.startsWith("native") ? `"${digits}"` : digits;
        const model = datatype.toLowerCase();
        const asString = await ask(by, model, one(datatype, `"${digits}"`));
        expect([asString.status, asString.text]).toEqual([
          200,
          expect.stringContaining(around.join(answer)),
        ]);
        const asNumber = await ask(by, model, one(datatype, digits));
        if (form.startsWith("native"))
          expect([asNumber.status, asNumber.text]).toEqual([
            422,
            expect.stringContaining("as a decimal string where a number is not exact"),
          ]);
        else expect(asNumber).toEqual(asString);
      }
    });

    test("what a datatype cannot hold is refused, never changed", async () => {
      for (const [datatype, element, reason] of REFUSED) {
        const { status, text } = await ask(by, datatype.toLowerCase(), one(datatype, element));
        expect([datatype, element, status, text]).toEqual([
          datatype,
          element,
          422,
          expect.stringContaining(reason),
        ]);
      }
    });

    test.runIf(empty)("dimensions may be empty", async () => {
      for (const datatype of ["FP32", "INT64", "BYTES"]) {
        const { status, text } = await ask(by, datatype.toLowerCase(), empty?.(datatype) ?? "");
        expect([status, text]).toEqual([200, expect.stringContaining(emptyAnswer ?? "")]);
      }
    });
  });

  test("v2's data may be nested by its shape, but not against it", async () => {
    for (const data of [
      [1, 2, 3, 4, 5, 6],
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      [
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ],
    ])
      expect((await inferNumbers([1, 2, 3], data)).text).toContain('"data":[1,2,3,4,5,6]');
    const columns = await inferNumbers(
      [1, 2, 3],
      [
        [1, 4],
        [2, 5],
        [3, 6],
      ],
    );
    expect(columns.status).toBe(422);
    expect(columns.text).toContain("is nested as [3, 2], its shape is [1, 2, 3]");
    expect((await inferNumbers([1, 2, 3], [[1, 2], [3], [4, 5, 6]])).text).toContain("is ragged");
  });

  test("a tensor that is nothing but dimensions costs nothing", async () => {
    const shape = [1, 0, 2_000_000_000];
    const empty = JSON.stringify({ inputs: { x: { shape, data: [] } } });
    expect((await ask(FORMS["native"] as Form, "fp32", empty)).status).toBe(200);
    const full = JSON.stringify({ inputs: { x: { shape: [1, 2_000_000_000, 0], data: [] } } });
    const answer = await ask(FORMS["native"] as Form, "fp32", full);
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("2000000000 empty arrays");
  });
}
