import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { packageFiles } from "../functions/model/manifest.ts";
import type { Store } from "../functions/model/store.ts";
import { SIGNATURE_FILE } from "../functions/model/signature.ts";
import { label, MANIFEST_FILE, type LocalPackage } from "./package-folder.ts";
import { checkSignatures, readSignatures } from "./sign.ts";

interface Upload {
  key: string;
  bytes: Uint8Array;
}

export interface PushProgress {
  start(totalBytes: number): void;
  /** A file lies in the store: `present` when it did already. */
  done(key: string, bytes: number, how: "uploaded" | "present"): void;
}

/**
 * Uploads a version, its manifest last: until that is there, no function knows of the version. What an
 * interrupted push has left is taken up. Throws before anything is written when the version is in the
 * store with other bytes.
 */
export async function pushPackage(
  local: LocalPackage,
  store: Store,
  progress: PushProgress,
): Promise<{ uploaded: number; present: number }> {
  await checkSignatures(local);
  const { folder, manifest } = local;
  const uploads: Upload[] = [];
  for (const file of [...packageFiles(manifest).map(({ file }) => file), MANIFEST_FILE])
    uploads.push({
      key: `${manifest.name}/${manifest.version}/${file}`,
      bytes: await readFile(join(folder, file)),
    });
  const missing = new Set<Upload>();
  for (const upload of uploads) {
    const found = await compare(store, upload);
    if (found === "different") throw immutable(label(manifest), upload.key);
    if (found === "absent") missing.add(upload);
  }

  progress.start(uploads.reduce((sum, { bytes }) => sum + bytes.byteLength, 0));
  // Signatures are no part of the version, whose digest they cover: another signer may come later.
  const signatures = await readSignatures(local);
  if (signatures !== "")
    await store.put(
      `${manifest.name}/${manifest.version}/${SIGNATURE_FILE}`,
      new TextEncoder().encode(signatures),
    );
  for (const upload of uploads) {
    const { key, bytes } = upload;
    if (missing.has(upload)) await put(store, upload, label(manifest));
    progress.done(key, bytes.byteLength, missing.has(upload) ? "uploaded" : "present");
  }
  return { uploaded: missing.size, present: uploads.length - missing.size };
}

async function put(store: Store, upload: Upload, version: string): Promise<void> {
  const written = await store.put(upload.key, upload.bytes, { ifNoneMatch: "*" });
  if (written) return;
  // Someone else was faster, or the answer to our own first attempt was lost: equal bytes are as good.
  const found = await compare(store, upload);
  if (found === "different") throw immutable(version, upload.key);
  if (found === "absent")
    throw new Error(`The store did not take ${upload.key}: another push is under way. Push again.`);
}

async function compare(
  store: Store,
  { key, bytes }: Upload,
): Promise<"absent" | "same" | "different"> {
  const head = await store.head(key);
  if (!head) return "absent";
  if (head.size !== bytes.byteLength) return "different";
  const found = await store.get(key);
  if (!found || found === "not-modified") return "absent";
  return sha256(found.bytes) === sha256(bytes) ? "same" : "different";
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function immutable(version: string, key: string): Error {
  return new Error(
    `${version} is already in the store with other bytes (${key}). A version never changes: publish this one under a new number. Nothing was changed.`,
  );
}
