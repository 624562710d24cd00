import {
  array,
  assert,
  asyncProperty,
  boolean,
  constant,
  constantFrom,
  double,
  integer,
  letrec,
  oneof,
  property,
  record,
  string,
  tuple,
  uint8Array,
} from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Manifest } from "../../functions/model/manifest.ts";
import {
  DATATYPES,
  datatypeNames,
  elementCount,
  type Datatype,
  type Tensor,
} from "../../functions/tensor.ts";
import { fromBinary, toBinary } from "../../functions/wire/binary-tensor.ts";
import { readInferRequest } from "../../functions/dialects/open-inference/request.ts";
import { fromJsonData, toJsonData } from "../../functions/wire/json-tensor.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import type { Target } from "../harness/targets.ts";
import { PLATFORMS } from "./platforms.ts";

const shapes = array(integer({ min: 0, max: 4 }), { minLength: 3, maxLength: 3 });

const texts = string({ unit: "binary", maxLength: 8 }).map((text) => text.replaceAll("\0", ""));

/** A tensor as bytes of the binary extension. Every bit pattern is an element. */
function tensors(datatype: Datatype) {
  return shapes.chain((shape) => {
    const count = elementCount(shape);
    const bytes =
      datatype === "BYTES"
        ? array(texts, { minLength: count, maxLength: count }).map((data) =>
            toBinary({ datatype, data }),
          )
        : array(elements(datatype), { minLength: count, maxLength: count }).map((values) =>
            Uint8Array.from(values.flat()),
          );
    return record({ shape: constant(shape), bytes });
  });
}

/** The bytes of one element. Often they are zero, only the sign (negative zero), or all ones. */
function elements(datatype: Datatype) {
  const size = DATATYPES[datatype].bytes;
  if (datatype === "BOOL")
    return array(integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 1 });
  const sign = Array.from({ length: size }, (_, index) => (index === size - 1 ? 0x80 : 0));
  return oneof(
    array(integer({ min: 0, max: 255 }), { minLength: size, maxLength: size }),
    constantFrom(
      Array.from(sign, () => 0),
      sign,
      Array.from(sign, () => 0xff),
    ),
  );
}

describe.each(datatypeNames)("%s", (datatype) => {
  test("any tensor is the same after JSON, but for the payload of a NaN", () => {
    assert(
      property(tensors(datatype), ({ bytes }) => {
        const data = fromBinary(datatype, bytes);
        const text = JSON.stringify(toJsonData({ datatype, data }));
        const read = fromJsonData(datatype, exactly(text) as unknown[]);
        expect(oneNaN(datatype, toBinary({ datatype, data: read }))).toEqual(
          oneNaN(datatype, bytes),
        );
      }),
    );
  });
});

test("tensors of any datatypes, one after the other, are read as they were sent", () => {
  const named = constantFrom(...datatypeNames).chain((datatype) =>
    tensors(datatype).map((tensor) => ({ datatype, ...tensor })),
  );
  const sent = array(named, { minLength: 1, maxLength: 6 });
  assert(
    property(sent, integer({ min: 0, max: 15 }), (list, before) => {
      const inputs = list.map(({ datatype, shape, bytes }, index) => {
        const parameters = { binary_data_size: bytes.length };
        return { name: `x${index}`, datatype, shape, parameters };
      });
      const head = Buffer.from(JSON.stringify({ inputs }));
      const parts = [Buffer.alloc(before, 7), head, ...list.map(({ bytes }) => bytes)];
      // If the body is part of a larger buffer, the rest of the buffer must not change.
      const memory = new Uint8Array(Buffer.concat(parts));
      const manifest = { inputs: [] as Manifest["inputs"] } as Manifest;
      const body = memory.subarray(before);
      const { feeds } = readInferRequest(body, String(head.length), manifest);
      for (const [index, { bytes }] of list.entries())
        expect(toBinary(feeds[`x${index}`] as Tensor)).toEqual(new Uint8Array(bytes));
      expect(memory.subarray(0, before)).toEqual(new Uint8Array(before).fill(7));
    }),
    { numRuns: 500 },
  );
});

describe.each(inThisFile(PLATFORMS))("on %s", (_name, start) => {
  let server: Target;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.stop());

  const infer = (model: string, json: object | string, tensor: Uint8Array | undefined) => {
    const head = Buffer.from(typeof json === "string" ? json : JSON.stringify(json));
    const headers = { "Inference-Header-Content-Length": String(head.length) };
    return server.fetch(`/v2/models/${model}/infer`, {
      method: "POST",
      ...(tensor && { headers }),
      body: tensor ? Buffer.concat([head, tensor]) : head,
    });
  };

  test.each(datatypeNames)(
    "any %s tensor comes back the same, in binary and JSON",
    async (datatype) => {
      await assert(
        asyncProperty(tensors(datatype), async ({ shape, bytes }) => {
          const model = datatype.toLowerCase();
          const input = { name: "x", shape, datatype };
          const sized = { ...input, parameters: { binary_data_size: bytes.length } };
          const wish = { binary_data_output: true };
          const binary = await infer(model, { inputs: [sized], parameters: wish }, bytes);
          expect(binary.status).toBe(200);
          const length = Number(binary.headers.get("inference-header-content-length"));
          const answered = new Uint8Array(await binary.arrayBuffer()).subarray(length);
          expect(answered).toEqual(bytes);

          const data = toJsonData({ datatype, data: fromBinary(datatype, bytes) });
          const json = await infer(model, { inputs: [{ ...input, data }] }, undefined);
          expect(json.status).toBe(200);
          const [output] = (exactly(await json.text()) as { outputs: { data: unknown[] }[] })
            .outputs;
          const read = toBinary({ datatype, data: fromJsonData(datatype, output?.data ?? []) });
          expect(oneNaN(datatype, read)).toEqual(oneNaN(datatype, bytes));
        }),
        { numRuns: 15 },
      );
    },
  );

  test("no body gets a 5xx, on any route that takes one", async () => {
    const paths = constantFrom(
      "/v2/models/iris/infer",
      "/v2/models/mixed/infer",
      "/v2/repository/index",
      "/v1/models/iris:predict",
      "/v1/models/sentiment:predict",
      "/v1/models/digits:predict",
      "/v1/models/mixed:predict",
      "/v1/models/iris/predict",
      "/v1/embeddings",
      "/invocations",
    );
    const members = constantFrom(
      "inputs",
      "instances",
      "outputs",
      "name",
      "shape",
      "data",
      "datatype",
      "parameters",
      "binary_data_size",
      "dataframe_split",
      "dataframe_records",
      "columns",
      "features",
      "b64",
      "model",
      "input",
      "__proto__",
    );
    const values = letrec((tie) => ({
      value: oneof(
        { depthSize: "small" },
        constantFrom("iris", "features", "FP32", "text", "count", "", "\0", "\ud800"),
        oneof(double(), integer({ min: -2, max: 5 }), constant(null), boolean()),
        array(tie("value"), { maxLength: 4 }),
        array(tuple(members, tie("value")), { maxLength: 5 }).map(Object.fromEntries),
      ),
    })).value;
    const bodies = oneof(
      values.map((value) => Buffer.from(JSON.stringify(value))),
      uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
      string({ unit: "binary" }).map((text) => Buffer.from(text)),
    );
    const headers = record(
      {
        "Content-Type": constantFrom("application/json", "text/csv", "image/png", "x"),
        "Content-Encoding": constantFrom("gzip", "deflate", "br"),
        "Inference-Header-Content-Length": constantFrom("0", "5", "40", "x", "-1", "1e3"),
      },
      { requiredKeys: [] },
    );
    await assert(
      asyncProperty(paths, bodies, headers, async (path, body, headers) => {
        const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value));
        const response = await server.fetch(path, { method: "POST", body, headers: given });
        const text = await response.text();
        expect(response.status, text).toBeLessThan(500);
        expect(JSON.parse(text)).toBeTypeOf("object");
      }),
      { numRuns: 150 },
    );
  });
});

/** JSON with every digit of long integers, as a careful client reads it. */
function exactly(text: string): unknown {
  return JSON.parse(text, longInteger);
}

function longInteger(_key: string, value: unknown, context?: { source: string }): unknown {
  const source = context?.source ?? "";
  const isLong = typeof value === "number" && !Number.isSafeInteger(value);
  return isLong && /^-?\d+$/.test(source) ? BigInt(source) : value;
}

/** JSON has one NaN where floats have millions. */
function oneNaN(datatype: Datatype, bytes: Uint8Array): Uint8Array {
  if (!datatype.startsWith("FP")) return bytes;
  const data = fromBinary(datatype, bytes.slice());
  const same =
    datatype === "FP16"
      ? (data as Uint16Array).map((bits) => ((bits & 0x7fff) > 0x7c00 ? 0x7e00 : bits))
      : (data as Float32Array).map((value) => (Number.isNaN(value) ? NaN : value));
  return toBinary({ datatype, data: same });
}
