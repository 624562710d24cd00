import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Manifest } from "../../functions/model/manifest.ts";
import { createTasks } from "../../functions/tasks/tasks.ts";

const models = join(import.meta.dirname, "../../models");

export interface HeldoutRow {
  input: unknown;
  label?: unknown;
}

/** The shipped models, each with its released manifest and the rows it was not trained on. */
export const shippedModels: { manifest: Manifest; heldout: HeldoutRow[] }[] = readdirSync(models, {
  withFileTypes: true,
})
  .filter((entry) => entry.isDirectory() && !/^[._]/.test(entry.name))
  .map(({ name }) => {
    const { stable } = JSON.parse(read(name, "release.json")) as { stable: string };
    return {
      manifest: createTasks().parseManifest(read(name, stable, "model.json")),
      heldout: read(name, "heldout.jsonl")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as HeldoutRow),
    };
  });

function read(...path: string[]): string {
  return readFileSync(join(models, ...path), "utf8");
}
