import { userInfo } from "node:os";
import { changeRelease, isRelease, updateRelease } from "../functions/model/change-release.ts";
import type { Release, ReleaseEvent } from "../functions/model/release.ts";
import type { Store } from "../functions/model/store.ts";
import { checkAnswers } from "./check-answers.ts";

export interface ReleaseNote {
  by: string;
  why?: string | undefined;
}

/**
 * Releases a version. Throws if it is not whole or not valid, so that it could not answer, or if it answers already and
 * no `fallback` is given.
 */
export async function releaseVersion(
  store: Store,
  model: string,
  version: string,
  { fallback, ...note }: ReleaseNote & { fallback?: string | undefined },
): Promise<Release> {
  return updateRelease(store, model, async (current) => {
    const isReleased = current?.stable === version;
    if (isReleased && fallback === undefined)
      throw new Error(`${model}@${version} is released already.`);
    if (fallback === version) throw new Error(`${model}@${version} cannot stand in for itself.`);
    await checkAnswers(store, model, version);
    if (fallback !== undefined) await checkAnswers(store, model, fallback);
    const change = isReleased ? `fallback ${fallback}` : undefined;
    return { stable: version, fallback, event: eventOf(version, note, change) };
  });
}

/**
 * Goes back to the version that answered before the present one. Throws if the present one is not `from`, where that is
 * given: somebody else has released another one since.
 */
export async function rollbackRelease(
  store: Store,
  model: string,
  { from, ...note }: ReleaseNote & { from?: string },
): Promise<Release> {
  return changeRelease(store, model, async (current) => {
    if (!current) throw new Error(`${model} was never released in this store.`);
    if (from !== undefined && current.stable !== from)
      throw new Error(`${model}@${current.stable} was released in the meantime, and stays.`);
    const before = current.history.find(
      (event) => isRelease(event) && event.version !== current.stable,
    );
    if (!before)
      throw new Error(`${model} has no earlier release than ${current.stable} to go back to.`);
    await checkAnswers(store, model, before.version);
    return eventOf(before.version, { ...note, why: note.why ?? `rollback from ${current.stable}` });
  });
}

/** The history's entry of a release. Without `--by`, `by` is the account in CI, and elsewhere the user. */
export function releaseNote({ by, why }: { by?: string; why?: string }): ReleaseNote {
  return { by: by ?? defaultReleaser(), why };
}

function defaultReleaser(): string {
  return process.env["GITHUB_ACTOR"] || process.env["GITLAB_USER_LOGIN"] || userInfo().username;
}

/** An entry of the history, of now. `change` says what happened to a candidate. */
export function eventOf(version: string, { by, why }: ReleaseNote, change?: string): ReleaseEvent {
  return {
    version,
    at: new Date().toISOString(),
    by,
    ...(why !== undefined && { why }),
    ...(change !== undefined && { change }),
  };
}
