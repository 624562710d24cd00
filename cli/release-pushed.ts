import { readRelease } from "../functions/model/release.ts";
import { createFolderStore } from "../functions/platform/store/folder.ts";
import type { Store } from "../functions/model/store.ts";
import { sortVersions } from "../functions/model/versions.ts";
import { releaseVersion, type ReleaseNote } from "./releases.ts";

/** One version that a push left in the store. */
export interface Pushed {
  name: string;
  version: string;
  /** Whether this push brought it to the store. */
  isNew: boolean;
}

export interface ReleasePushedOptions {
  /** The models folder, whose `release.json` files say which version is meant to answer. */
  models: string;
  note: ReleaseNote;
  /** Whether the version was named by the caller, who then wants it even in place of another. */
  named: boolean;
}

/**
 * Releases one version of each pushed model: the one that the models folder's own release names, if it was pushed, else
 * the newest. If the store has released another version, only a version that is new there, or that was named, replaces
 * it. So a later release or rollback stays. Gives a line for each model, as it goes.
 */
export async function* releasePushed(
  store: Store,
  pushed: readonly Pushed[],
  { models, note, named }: ReleasePushedOptions,
): AsyncGenerator<string> {
  for (const name of new Set(pushed.map((one) => one.name))) {
    const own = pushed.filter((one) => one.name === name);
    const wanted = await choose(models, name, own);
    const current = (await readRelease(store, name))?.release.stable;
    const version = `${name}@${wanted.version}`;
    if (current === wanted.version) yield `${version} answers already.`;
    else if (current === undefined || wanted.isNew || named) {
      await releaseVersion(store, name, wanted.version, note);
      yield `${version} answers.${current === undefined ? "" : ` It was ${current}.`}`;
    } else
      yield `${name}@${current} goes on answering: ${version} was in the store before, and is not released over it. To release it: nearcast release ${version}`;
  }
}

async function choose(models: string, name: string, pushed: readonly Pushed[]): Promise<Pushed> {
  const meant = (await readRelease(createFolderStore(models), name))?.release.stable;
  const newest = sortVersions(pushed.map(({ version }) => version)).at(-1);
  const found =
    pushed.find(({ version }) => version === meant) ??
    pushed.find(({ version }) => version === newest);
  return found as Pushed;
}
