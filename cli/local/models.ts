import { readdir } from "node:fs/promises";

/** The keys of a models folder that belong in a store: releases and the files of versions. */
export async function filesOfModels(folder: string): Promise<string[]> {
  const paths = await readdir(folder, { recursive: true });
  return paths
    .map((path) => path.replaceAll("\\", "/"))
    .filter(isModelKey)
    .toSorted();
}

/** Whether a key is a release or a file of a version. Names with a dot first are others', such as jobs and captured calls. */
export function isModelKey(key: string): boolean {
  return /^[^/.][^/]*\/(release\.json|[^/.][^/]*\/[^/]+\.[^/]+)$/.test(key);
}
