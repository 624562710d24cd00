import { userInfo } from "node:os";
import { packageFiles, type Manifest } from "../functions/model/manifest.ts";
import { changeRelease, type Release } from "../functions/model/release.ts";
import type { Store } from "../functions/model/store.ts";
import { checkAnswers } from "./check-answers.ts";
import { oneLine } from "./one-line.ts";
import { MANIFEST_FILE, sortVersions } from "./package-folder.ts";
import { projectTasks } from "./project.ts";

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
    await checkComplete(store, model, version);
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
    await checkComplete(store, model, before.version);
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

/** The manifest of a version in the store; undefined when the store has no such version. */
export async function readManifest(
  store: Store,
  model: string,
  version: string,
): Promise<Manifest | undefined> {
  const found = await store.get(`${model}/${version}/${MANIFEST_FILE}`);
  if (!found || found === "not-modified") return undefined;
  const tasks = await projectTasks();
  try {
    return tasks.parseManifest(new TextDecoder().decode(found.bytes));
  } catch (cause) {
    throw new Error(
      `${model}/${version}/${MANIFEST_FILE} in the store is not a valid manifest. ${oneLine((cause as Error).message)}`,
      { cause },
    );
  }
}

/** Versions by model, those with a manifest only: without it a push has not ended. */
export async function storedVersions(store: Store, model?: string): Promise<Map<string, string[]>> {
  const versions = new Map<string, string[]>();
  for (const key of await store.list(model === undefined ? "" : `${model}/`)) {
    const [, name, version] = /^([^/]+)\/([^/]+)\/model\.json$/.exec(key) ?? [];
    if (name && version) versions.set(name, [...(versions.get(name) ?? []), version]);
  }
  return new Map(
    sortVersions([...versions.keys()]).map((name) => [
      name,
      sortVersions(versions.get(name) ?? []),
    ]),
  );
}

async function checkComplete(store: Store, model: string, version: string): Promise<void> {
  const manifest = await readManifest(store, model, version);
  if (!manifest) {
    const has = (await storedVersions(store, model)).get(model) ?? [];
    throw new Error(
      `The store has no ${model}@${version}; ${has.length > 0 ? `it has ${has.join(", ")}` : "it has no version of it"}. Push it first.`,
    );
  }
  for (const { file, bytes } of packageFiles(manifest)) {
    const head = await store.head(`${model}/${version}/${file}`);
    if (head?.size !== bytes)
      throw new Error(
        `${model}@${version} is not complete in the store: ${file} ${head ? `has ${head.size} bytes, not ${bytes}` : "is missing"}. Push it again.`,
      );
  }
}

function event(version: string, { by, why }: ReleaseNote) {
  return { version, at: new Date().toISOString(), by, ...(why !== undefined && { why }) };
}
