import { mayUse, requireScope } from "../auth/access.ts";
import type { Caller, Scope } from "../auth/caller.ts";
import { ageOf } from "../age.ts";
import { invalidInput, NearcastError } from "../errors.ts";
import type { Manifest, ManifestOf } from "../model/manifest.ts";
import { answeringModels } from "../model/released-models.ts";
import { createSingleFlight } from "../model/single-flight.ts";
import type { Service } from "../service.ts";
import type { textOptions } from "../tasks/text/options.ts";

/** The tasks that a route answers for, as {@link kindOf} names them. */
export type Tasks = readonly string[];

/** Feature extraction that makes sparse vectors. */
export const SPARSE_VECTORS = "feature-extraction with splade";

/** What a model does: its task, or {@link SPARSE_VECTORS}. */
export function kindOf(manifest: Pick<Manifest, "task">): string {
  const { task, text } = manifest as ManifestOf<typeof textOptions>;
  return task === "feature-extraction" && text?.pooling === "splade" ? SPARSE_VECTORS : task;
}

/**
 * Finds the model of a request that names none: the deployment's default where it has one of the tasks, else the only
 * released one that has, of those that the caller may use. Rejects with `unknown_model` where there is none or several,
 * and with `forbidden` without the scope.
 */
export type FindTaskModel = (caller: Caller, scope: Scope, tasks: Tasks) => Promise<string>;

/** The most names of models in a message. */
const MOST_NAMES = 10;

/** Makes the search. What is released is kept for as long as releases are. */
export function createTaskModel({ registryFor, platform }: Service): FindTaskModel {
  const { defaultModel, releaseTtlMs, storeTimeoutMs } = platform.config;
  const share = createSingleFlight({
    waitUntil: platform.waitUntil,
    patienceMs: storeTimeoutMs * 2,
  });
  let known: { models: readonly { name: string; kind: string }[]; readAt: number } | undefined;

  async function released() {
    if (known && ageOf(known.readAt) < releaseTtlMs) return known.models;
    return share("released", async () => {
      const everyone = { name: "", scopes: new Set<Scope>(["read"]) };
      const found = await answeringModels(registryFor(everyone, "read"));
      const models = found.map(({ manifest }) => ({
        name: manifest.name,
        kind: kindOf(manifest),
      }));
      known = { models, readAt: Date.now() };
      return models;
    });
  }

  async function isDefault(caller: Caller, scope: Scope, tasks: Tasks): Promise<boolean> {
    if (!defaultModel || !mayUse(caller, defaultModel)) return false;
    try {
      const { manifest } = await registryFor(caller, scope).resolve(defaultModel);
      return tasks.includes(kindOf(manifest));
    } catch (error) {
      if (error instanceof NearcastError && error.code === "unknown_model") return false;
      throw error;
    }
  }

  return async function find(caller, scope, tasks) {
    requireScope(caller, scope);
    if (defaultModel && (await isDefault(caller, scope, tasks))) return defaultModel;
    const names = (await released())
      .filter(({ name, kind }) => tasks.includes(kind) && mayUse(caller, name))
      .map(({ name }) => name);
    const [only, ...others] = names;
    if (only !== undefined && others.length === 0) return only;
    const what = `the task ${tasks.join(" or ")}`;
    const message =
      only === undefined
        ? `No released model has ${what}.`
        : `Several models have ${what}: name one as model, such as ${names.slice(0, MOST_NAMES).join(", ")}, or set DEFAULT_MODEL.`;
    throw new NearcastError("unknown_model", message);
  };
}

/** Throws `invalid_input` for a model with another task. */
export function checkTask(manifest: Manifest, tasks: Tasks): void {
  const kind = kindOf(manifest);
  if (tasks.includes(kind)) return;
  const message = `has the task ${kind}, and this needs ${tasks.join(" or ")}: ${manifest.name} cannot answer`;
  throw invalidInput([{ path: "model", message }]);
}
