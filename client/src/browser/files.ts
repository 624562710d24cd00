import { NearcastClientError } from "../error.ts";
import { download, type Download } from "./download.ts";
import { keepBytes, keptBytes } from "./page-cache.ts";
import type { VersionFile } from "./release.ts";

/**
 * The bytes of a file, with its digest checked: from the cache, or else fetched and then kept. `of` says where they are
 * kept. Rejects with `model_corrupt` for other bytes, and as {@link download} does.
 */
export async function readFile(
  of: string,
  file: VersionFile,
  from: Omit<Download, "bytes">,
): Promise<Uint8Array<ArrayBuffer>> {
  const kept = await keptBytes(of, file);
  if (kept && (await digest(kept)) === file.sha256) return kept;
  const made = await download({ ...from, bytes: file.bytes });
  if ((await digest(made)) !== file.sha256)
    throw new NearcastClientError(
      "model_corrupt",
      `${from.url.href} does not have the sha256 of ${file.file}.`,
    );
  await keepBytes(of, file, made);
  return made;
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
