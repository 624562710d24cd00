import { userInfo } from "node:os";
import { changeRelease, type Release } from "../functions/model/release.ts";
import type { Store } from "../functions/model/store.ts";
import { checkAnswers } from "./check-answers.ts";

export interface ReleaseNote {
  by: string;
  why?: string | undefined;
}

/** Lets a version answer. Throws when it could not, because it is not whole or not valid, or when it answers already. */
export async function releaseVersion(
  store: Store,
  model: string,
  version: string,
  note: ReleaseNote,
): Promise<Release> {
  return changeRelease(store, model, async (current) => {
    if (current?.stable === version) throw new Error(`${model}@${version} is released already.`);
    await checkAnswers(store, model, version);
    return event(version, note);
  });
}

/** Lets the version answer again that answered before the present one. */
export async function rollbackRelease(
  store: Store,
  model: string,
  note: ReleaseNote,
): Promise<Release> {
  return changeRelease(store, model, async (current) => {
    if (!current) throw new Error(`${model} was never released in this store.`);
    const before = current.history.find(({ version }) => version !== current.stable);
    if (!before)
      throw new Error(`${model} has no earlier release than ${current.stable} to go back to.`);
    await checkAnswers(store, model, before.version);
    return event(before.version, { ...note, why: note.why ?? `rollback from ${current.stable}` });
  });
}

/** What the history says of a release. Without `--by` it is by the account in CI, elsewhere by the user. */
export function releaseNote({ by, why }: { by?: string; why?: string }): ReleaseNote {
  return { by: by ?? defaultReleaser(), why };
}

function defaultReleaser(): string {
  return process.env["GITHUB_ACTOR"] || process.env["GITLAB_USER_LOGIN"] || userInfo().username;
}

function event(version: string, { by, why }: ReleaseNote) {
  return { version, at: new Date().toISOString(), by, ...(why !== undefined && { why }) };
}
