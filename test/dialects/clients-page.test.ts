import { expect, test } from "vitest";
import { EXAMPLES, examplesPrint } from "./clients-page.ts";

test("there are examples", () => {
  expect(EXAMPLES.map(({ language }) => language)).toEqual(
    expect.arrayContaining(["sh", "js", "ts", "go", "python"]),
  );
});

examplesPrint(["sh", "js", "ts"]);
