import { isAscii } from "node:buffer";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";

const folder = join(import.meta.dirname, "../../dist/node");

// With one other character, V8 holds the whole file with two bytes for each. esbuild escapes all but those in tagged templates.
test("the server's code has a byte for each character", async () => {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".mjs"));
  expect(files).toContain("server.mjs");
  const wide: string[] = [];
  for (const file of files) if (!isAscii(await readFile(join(folder, file)))) wide.push(file);
  expect(wide).toEqual([]);
});
