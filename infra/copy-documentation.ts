import { cp, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { DOCUMENTATION_ASSETS } from "../functions/platform/types.ts";

/** Copies the files of the documentation page into a folder. */
export async function copyDocumentation(folder: string): Promise<void> {
  const from = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  await mkdir(folder, { recursive: true });
  for (const name of DOCUMENTATION_ASSETS) await cp(join(from, name), join(folder, name));
}
