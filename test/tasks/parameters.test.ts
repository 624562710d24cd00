import { expect, test } from "vitest";
import { z } from "zod";
import { parseParameters } from "../../functions/tasks/define.ts";

test("absent parameters are read once, and nobody can change them for other calls", () => {
  let reads = 0;
  const schema = z.strictObject({ top_k: z.int().default(() => ++reads) });
  const none = parseParameters(schema, undefined);
  expect(parseParameters(schema, undefined)).toBe(none);
  expect(() => (none.top_k = 9)).toThrow(TypeError);
  expect([none.top_k, reads]).toEqual([1, 1]);

  expect(parseParameters(schema, { top_k: 5 })).toEqual({ top_k: 5 });
  expect(() => parseParameters(schema, { top_k: "5" })).toThrow();
  expect(parseParameters(z.strictObject({}), undefined)).toEqual({});
});
