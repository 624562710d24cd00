import { randomUUID } from "node:crypto";
import { link, mkdir, open, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { PART_BYTES, type StoreParts } from "../../model/store.ts";

/** Files in parts: they are written into a file beside the one that is made of it. */
export function folderParts(pathOf: (key: string) => string): StoreParts {
  const writingOf = (key: string, id: string) => `${pathOf(key)}.${id}.tmp`;
  return {
    async begin(key) {
      const id = randomUUID();
      const path = writingOf(key, id);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, "");
      return id;
    },
    async put(key, id, part, bytes) {
      const file = await open(writingOf(key, id), "r+");
      try {
        await file.write(bytes, 0, bytes.length, part * PART_BYTES);
      } finally {
        await file.close();
      }
      return `${part}`;
    },
    async end(key, id) {
      const path = writingOf(key, id);
      try {
        await link(path, pathOf(key));
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        return false;
      } finally {
        await rm(path, { force: true });
      }
    },
    drop: (key, id) => rm(writingOf(key, id), { force: true }),
  };
}
