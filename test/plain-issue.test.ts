import { expect, test } from "vitest";
import * as z from "zod";
import { checkBody } from "../functions/errors.ts";
import { parseParameters } from "../functions/tasks/define.ts";

const body = z.strictObject({
  inputs: z.array(z.number().int().max(9)).min(2),
  name: z.string().min(1).max(3),
  kind: z.enum(["a", "b"]),
  size: z.union([z.number(), z.object({ width: z.number() })]),
  flag: z.boolean("must be a flag"),
});
const right = { inputs: [1, 2], name: "x", kind: "a", size: 1, flag: true };

function many(count: number) {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`a${index}`, 1]));
}

test.for([
  [{ ...right, inputs: undefined }, "inputs is missing"],
  [{ ...right, inputs: "1" }, "inputs must be an array, not a string (and 1 more)"],
  [{ ...right, inputs: [1] }, "inputs must have at least 2 items"],
  [{ ...right, inputs: [1, 10] }, "inputs.1 must be at most 9"],
  [{ ...right, inputs: [1, 1.5] }, "inputs.1 must be an integer"],
  [{ ...right, name: "" }, "name must not be empty"],
  [{ ...right, name: null }, "name must be a string, not null"],
  [{ ...right, kind: "c" }, 'kind must be one of "a", "b"'],
  [{ ...right, size: "1" }, "size has none of the forms that are allowed here"],
  [{ ...right, flag: 1 }, "flag must be a flag"],
  [{ ...right, other: 1 }, 'body "other" is not known here'],
  [{ ...right, ...many(5) }, 'body "a0", "a1", "a2", "a3", "a4" is not known here'],
  [{ ...right, ...many(6) }, 'body "a0", "a1", "a2", "a3", "a4", … is not known here'],
  [{ ...right, ...many(20_000) }, 'body "a0", "a1", "a2", "a3", "a4", … is not known here'],
  [[], "body must be an object, not an array"],
] as const)("case %#: %s", ([value, words]) => {
  expect(() => checkBody(body, value)).toThrow(
    expect.objectContaining({ code: "invalid_input", message: words }),
  );
});

test("parameters have their own path, and five of them are named", () => {
  expect(() => parseParameters(body, { ...right, name: 1 })).toThrow(
    expect.objectContaining({ message: "parameters.name must be a string, not a number" }),
  );
  expect(() => parseParameters(body, { ...right, ...many(6) })).toThrow(
    expect.objectContaining({
      message: 'parameters "a0", "a1", "a2", "a3", "a4", … is not known here',
    }),
  );
});
