import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Target } from "../harness/targets.ts";

/** Puts packages of a folder of test/fixtures into a target's store. */
export async function putFixtures(target: Target, folder: string, models: string[]): Promise<void> {
  const from = join(import.meta.dirname, "../fixtures", folder);
  for (const model of models)
    for (const file of ["1/model.onnx", "1/model.json", "release.json"])
      await target.store.put(`${model}/${file}`, await readFile(join(from, model, file)));
}
