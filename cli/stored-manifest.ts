import type { Manifest } from "../functions/model/manifest.ts";
import type { Store } from "../functions/model/store.ts";
import { oneLine } from "./one-line.ts";
import { MANIFEST_FILE } from "./package-folder.ts";
import { projectTasks } from "./project.ts";

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
    return tasks.parseManifest(new TextDecoder("utf-8", { fatal: true }).decode(found.bytes));
  } catch (cause) {
    throw new Error(
      `${model}/${version}/${MANIFEST_FILE} in the store is not a valid manifest. ${oneLine((cause as Error).message)}`,
      { cause },
    );
  }
}
