import { NearcastError } from "../errors.ts";
import type { ModelVersion, Registry } from "./registry.ts";

/** How many models are read at the same time for a list. */
const LIST_CONCURRENCY = 8;

export interface ReleasedModel extends ModelVersion {
  versions: readonly string[];
}

/** The models that answer. Leaves out broken packages. A call that names one gets the reason. */
export async function answeringModels(registry: Registry): Promise<ReleasedModel[]> {
  return [...(await releasedModels(registry)).values()].filter(
    (model): model is ReleasedModel => !(model instanceof NearcastError),
  );
}

/** All models in the store by name, each with its released version, or with the error from reading it. */
export async function releasedModels(
  registry: Registry,
): Promise<Map<string, ReleasedModel | NearcastError>> {
  const found = [...(await registry.versions())];
  const models = new Map<string, ReleasedModel | NearcastError>();
  for (let start = 0; start < found.length; start += LIST_CONCURRENCY) {
    const some = found.slice(start, start + LIST_CONCURRENCY);
    const read = some.map(async ([name, versions]) => {
      try {
        return [name, { ...(await registry.resolve(name)), versions }] as const;
      } catch (error) {
        // One broken package must not hide the others.
        if (error instanceof NearcastError) return [name, error] as const;
        throw error;
      }
    });
    for (const [name, model] of await Promise.all(read))
      // Leaves out models that were pushed but not released: they do not answer.
      if (!(model instanceof NearcastError && model.code === "unknown_model"))
        models.set(name, model);
  }
  return models;
}
