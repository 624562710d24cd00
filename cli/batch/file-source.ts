import { open } from "node:fs/promises";
import type { Source } from "../../functions/inputs/source.ts";

/** Opens a file for reading in parts. */
export async function openFile(
  path: string,
): Promise<{ source: Source; close: () => Promise<void> }> {
  const file = await open(path, "r").catch((cause: unknown) => {
    throw new Error(`The input file ${path} cannot be read.`, { cause });
  });
  const { size } = await file.stat();
  return {
    source: {
      size,
      async slice(start, end) {
        const bytes = new Uint8Array(end - start);
        const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
        if (bytesRead < bytes.length) throw new Error(`${path} has become shorter.`);
        return bytes;
      },
    },
    close: () => file.close(),
  };
}
