import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parityPage } from "../infra/build-parity.ts";
import { root } from "./readme.ts";

test("docs/parity.md is what `npm run build:reference` makes", async () => {
  expect(await readFile(join(root, "docs/parity.md"), "utf8")).toBe(await parityPage());
});
