import { packageFiles } from "../functions/model/manifest.ts";
import { createRegistry } from "../functions/model/registry.ts";
import type { Store } from "../functions/model/store.ts";
import { storedVersions } from "../functions/model/versions.ts";
import { createNodePlatform } from "../functions/platform/node.ts";
import { describeFailure } from "./failure.ts";
import { SESSION_BUDGET_MB, withRelease } from "./predictor.ts";
import { projectTasks } from "./project.ts";
import { readManifest } from "./stored-manifest.ts";

/** A day. The command's own store ends operations that take too long, and says so. */
const STORE_TIMEOUT_MS = 86_400_000;

/**
 * Reads a version in the store as the functions will, every file once. Rejects unless they could answer from it:
 * the manifest is valid, its task can be made from it and from its assets, and every file has its digest.
 */
export async function checkAnswers(store: Store, model: string, version: string): Promise<void> {
  const platform = createNodePlatform({
    SESSION_BUDGET_MB: String(SESSION_BUDGET_MB),
    STORE_TIMEOUT_MS: String(STORE_TIMEOUT_MS),
  });
  const sizes = new Map<string, number | undefined>();
  const released = withRelease(store, model, version);
  const watched: Store = {
    ...released,
    async get(key, options) {
      const found = await released.get(key, options);
      if (found !== "not-modified") sizes.set(key, found?.bytes.byteLength);
      return found;
    },
  };
  const registry = createRegistry({ ...platform, store: watched }, await projectTasks());
  try {
    const { manifest } = await registry.resolve(model, { version });
    // The task was made from the assets, so they were checked.
    const checked = new Set((manifest.assets ?? []).map(({ file }) => file));
    for (const file of packageFiles(manifest))
      if (!checked.has(file.file)) await registry.file(manifest, file);
  } catch (cause) {
    await checkComplete(store, { model, version, sizes });
    throw new Error(
      `${model}@${version} could not answer, so nothing was released. ${describeFailure(cause)}`,
      { cause },
    );
  }
}

interface Read {
  model: string;
  version: string;
  /** The number of bytes of each key that was read. Undefined if it was not there. */
  sizes: ReadonlyMap<string, number | undefined>;
}

/** Throws if the store does not have the whole version. Another push helps. */
async function checkComplete(store: Store, { model, version, sizes }: Read): Promise<void> {
  const manifest = await readManifest(store, model, version);
  if (!manifest) {
    const has = (await storedVersions(store, model)).get(model) ?? [];
    throw new Error(
      `The store has no ${model}@${version}; ${has.length > 0 ? `it has ${has.join(", ")}` : "it has no version of it"}. Push it first.`,
    );
  }
  for (const { file, bytes } of packageFiles(manifest)) {
    const key = `${model}/${version}/${file}`;
    const size = sizes.get(key);
    if (sizes.has(key) && size !== bytes)
      throw new Error(
        `${model}@${version} is not complete in the store: ${file} ${size === undefined ? "is missing" : `has ${size} bytes, not ${bytes}`}. Push it again.`,
      );
  }
}
