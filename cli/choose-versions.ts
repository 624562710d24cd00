import { readdir } from "node:fs/promises";
import { sortVersions } from "../functions/model/versions.ts";
import { EXAMPLES_FILE, readExamples } from "./examples/files.ts";
import {
  label,
  localVersions,
  openPackage,
  type LocalPackage,
  type Reference,
} from "./package-folder.ts";

/** What a push takes from a models folder. */
export interface Choice {
  chosen: LocalPackage[];
  /** Versions that cannot be verified yet. Each says what it lacks and what to type. */
  drafts: string[];
}

/**
 * The named version. Without a version, the newest that is no draft, and the newer drafts. Throws if there is none.
 */
export async function chooseVersion(models: string, reference: Reference): Promise<Choice> {
  if (reference.version !== undefined)
    return { chosen: [await openPackage(models, reference)], drafts: [] };
  const drafts: string[] = [];
  for (const version of (await localVersions(models, reference.name)).toReversed()) {
    const local = await openPackage(models, { ...reference, version });
    const draft = await draftReason(local);
    if (draft === undefined) return { chosen: [local], drafts };
    drafts.push(draft);
  }
  if (drafts.length > 0) throw new Error(drafts.join(" "));
  // This throws that there is no such model.
  return { chosen: [await openPackage(models, reference)], drafts };
}

/** Every version of every model that is no draft. Throws when there is none. */
export async function chooseAll(models: string): Promise<Choice> {
  const entries = await readdir(models, { withFileTypes: true }).catch(() => {
    throw new Error(`There is no folder ${models}: --models says where the packages are.`);
  });
  const chosen: LocalPackage[] = [];
  const drafts: string[] = [];
  for (const name of sortVersions(
    entries.filter((one) => one.isDirectory()).map((one) => one.name),
  ))
    for (const version of await localVersions(models, name)) {
      const local = await openPackage(models, { name, version });
      const draft = await draftReason(local);
      if (draft === undefined) chosen.push(local);
      else drafts.push(draft);
    }
  if (chosen.length === 0)
    throw new Error(
      drafts.length > 0
        ? `${models} has no version to push. ${drafts.join(" ")}`
        : `${models} has no model: it should have <model>/<version>/model.json, as nearcast add makes it.`,
    );
  return { chosen, drafts };
}

/** Why a version cannot be verified, with what to type; undefined when it can. */
async function draftReason(local: LocalPackage): Promise<string | undefined> {
  const { manifest } = local;
  const examples = await readExamples(local);
  const missing = examples.filter(({ output }) => output === undefined).length;
  const record = `nearcast verify ${label(manifest)} --record`;
  if (examples.length === 0)
    return `${label(manifest)} is a draft: it has no examples. Put at least one {"input": …} under "examples" in its model.json, or a large one on a line of ${EXAMPLES_FILE} beside it. Then: ${record}`;
  if (missing > 0)
    return `${label(manifest)} is a draft: ${missing} of its ${examples.length} examples have no recorded output. Look at what the model answers and record it: ${record}`;
  return undefined;
}
