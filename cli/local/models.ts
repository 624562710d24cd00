import { readdir } from "node:fs/promises";

/** The keys of a folder of models that belong into a store: releases and the files of versions. */
export async function packageFiles(folder: string): Promise<string[]> {
  const paths = await readdir(folder, { recursive: true });
  return paths
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => /^[^/]+\/(release\.json|[^/]+\/[^/]+\.[^/]+)$/.test(path))
    .toSorted();
}
