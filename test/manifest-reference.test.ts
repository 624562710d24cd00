import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { references } from "../infra/build-manifest-reference.ts";
import { root } from "./readme.ts";

test.each([...(await references())])(
  "%s is what `npm run build:reference` makes",
  async (path, text) => {
    expect(await readFile(join(root, path), "utf8")).toBe(text);
  },
);
