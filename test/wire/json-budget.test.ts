import { expect, test } from "vitest";
import { parseJson } from "../../functions/wire/json.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (text: string) => parseJson(bytes(text), { exact: false });
const readExactly = (text: string) => parseJson(bytes(text), { exact: true });
const many = (count: number, item: string) => Array<string>(count).fill(item).join(",");

test.each([
  ["eight images of nested pixels", many(8, `[${many(224, `[${many(224, "[0,128,255]")}]`)}]`)],
  ["ten images in planes", many(10, `[${many(3, `[${many(224, `[${many(224, "1.5")}]`)}]`)}]`)],
  [
    "a thousand records of 500 columns",
    many(1000, `{${Array.from({ length: 500 }, (_, index) => `"c${index}":"ab"`).join(",")}}`),
  ],
  ["texts", many(1000, JSON.stringify('a "text" of {many}: [words] '.repeat(200)))],
  ["texts that only look like JSON", JSON.stringify("[{".repeat(1_000_000))],
])("%s are read", (_what, items) => {
  expect(read(`[${items}]`)).toEqual(JSON.parse(`[${items}]`));
});

test.each([
  ["arrays", many(600_000, "[]"), /The body has 600001 arrays: JSON may have 524288/],
  ["objects", many(100_000, "{}"), /The body has 100000 objects: JSON may have 98304/],
  ["members", `{${many(600_000, '"a":0')}}`, /has 600000 members of objects: JSON may have 524288/],
  ["strings", many(600_000, '"a"'), /has 600000 strings: JSON may have 524288/],
])("more %s than any model takes are refused", (_what, items, message) => {
  expect(() => read(`[${items}]`)).toThrow(message);
  expect(() => read(`[${items}]`)).toThrow(expect.objectContaining({ code: "body_too_large" }));
  // What is longer may have more of them.
  expect(() => read(`[${items},"${" ".repeat(12_000_000)}"]`)).not.toThrow();
});

const named = (count: number, width: number) =>
  Array.from({ length: count / width }, (_, row) => {
    const members = Array.from({ length: width }, (_, column) => `"${row}-${column}k":0`);
    return `{${members.join(",")}}`;
  }).join(",");

test.each([
  ["one object", `{"a":${named(30_000, 30_000)}}`],
  ["records", named(30_000, 30)],
])("as many different names as any model takes are read, in %s", (_what, items) => {
  expect(read(`[${items}]`)).toEqual(JSON.parse(`[${items}]`));
});

test.each([
  ["one object", named(40_000, 40_000)],
  ["records", named(40_000, 1)],
])("more different names are refused, in %s", (_what, items) => {
  const refusal = expect.objectContaining({ code: "body_too_large" });
  expect(() => read(`[${items}]`)).toThrow(/more than 32768 different names of members/);
  expect(() => read(`[${items}]`)).toThrow(refusal);
});

test("integers of 64 bits keep their digits, wherever they stand", () => {
  const long = "9007199254740993";
  const text = `{"${long}":[${long}, -${long} ,{"a":${long}\n}, 1.${long}, ${long}.5, ${long}e1,
    "${long}", "\\"${long}", "a, ${long}, b", 9007199254740991, 12345678901234567890,
    123456789012345678901],"b":-${long}, "__proto__": ${long}}`;
  const read = readExactly(text) as Record<string, unknown>;
  expect(read[long]).toEqual([
    9007199254740993n,
    -9007199254740993n,
    { a: 9007199254740993n },
    Number(`1.${long}`),
    Number(`${long}.5`),
    Number(`${long}e1`),
    long,
    `"${long}`,
    `a, ${long}, b`,
    9007199254740991,
    12345678901234567890n,
    1.2345678901234568e20,
  ]);
  expect(read["b"]).toBe(-9007199254740993n);
  expect(Object.entries(read).find(([name]) => name === "__proto__")?.[1]).toBe(9007199254740993n);
  expect(readExactly(` ${long} `)).toBe(9007199254740993n);
});

test.each([
  "{ 9007199254740993 : 1}",
  "[--9007199254740993]",
  "[09007199254740993]",
  "[9007199254740993 9007199254740993]",
  "[9007199254740993",
  '{"a" 9007199254740993}',
])("%s is no JSON, and the message shows it as it came", (text) => {
  let said = "";
  try {
    JSON.parse(text);
  } catch (error) {
    said = (error as Error).message;
  }
  expect(() => readExactly(text)).toThrow(`The body is not JSON: ${said}`);
});
