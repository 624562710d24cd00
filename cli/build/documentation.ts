import { cp } from "node:fs/promises";
import { join } from "node:path";
import { PAGE_ASSETS } from "../../functions/platform/types.ts";
import { packageRoot } from "../own-module.ts";

/** Copies the files of the documentation page into a folder. */
export async function copyDocumentation(folder: string): Promise<void> {
  const from = join(packageRoot(), "dist/assets/docs");
  for (const name of PAGE_ASSETS) await cp(join(from, name), join(folder, name));
}
