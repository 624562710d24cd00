import { packageFiles } from "../functions/model/manifest.ts";
import { createNodePlatform } from "../functions/platform/node.ts";
import type { Store } from "../functions/model/store.ts";
import { createRegistry } from "../functions/model/registry.ts";
import { describeFailure } from "./failure.ts";
import { SESSION_BUDGET_MB, withRelease } from "./predictor.ts";
import { projectTasks } from "./project.ts";

/** A day: the command's own store ends what takes too long, and says so. */
const STORE_TIMEOUT_MS = 86_400_000;

/**
 * Reads a version in the store as the functions will, and rejects unless they could answer from it: the manifest
 * is valid, its task can be made from it and from its assets, and every file has its digest.
 */
export async function checkAnswers(store: Store, model: string, version: string): Promise<void> {
  const platform = createNodePlatform({
    SESSION_BUDGET_MB: String(SESSION_BUDGET_MB),
    STORE_TIMEOUT_MS: String(STORE_TIMEOUT_MS),
  });
  const released = { ...platform, store: withRelease(store, model, version) };
  const registry = createRegistry(released, await projectTasks());
  try {
    const { manifest } = await registry.resolve(model, { version });
    // The task was made from the assets, so they were checked.
    const checked = new Set((manifest.assets ?? []).map(({ file }) => file));
    for (const file of packageFiles(manifest))
      if (!checked.has(file.file)) await registry.file(manifest, file);
  } catch (cause) {
    throw new Error(
      `${model}@${version} could not answer, so nothing was released. ${describeFailure(cause)}`,
      { cause },
    );
  }
}
