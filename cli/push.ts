import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MAX_MANIFEST_BYTES, packageFiles } from "../functions/model/manifest.ts";
import type { Store } from "../functions/model/store.ts";
import { label, MANIFEST_FILE, type LocalPackage } from "./package-folder.ts";
import { addSignatures, dropStaleSignatures } from "./push-signatures.ts";
import { checkSignatures, readSignatures } from "./sign.ts";

interface Upload {
  key: string;
  bytes: Uint8Array;
}

export interface PushProgress {
  start(totalBytes: number): void;
  /** A file is in the store. `present`: it was there before. */
  done(key: string, bytes: number, how: "uploaded" | "present"): void;
}

/**
 * Uploads a version, the manifest last. Until the manifest is there, no function knows the version. Continues a push
 * that was interrupted. Throws before anything is written if the store has the version with other bytes. Of several
 * pushes of one version at once, exactly one is whole in the end. No file is written over, and all pushes write in the
 * order of the files' names: which one gets the first file that differs stops the others there.
 */
export async function pushPackage(
  local: LocalPackage,
  store: Store,
  progress: PushProgress,
): Promise<{ uploaded: number; present: number }> {
  await checkSignatures(local);
  const { manifest } = local;
  const uploads = await readUploads(local);
  const missing = new Set<Upload>();
  const different: Upload[] = [];
  for (const upload of uploads) {
    const found = await compare(store, upload);
    if (found === "different") different.push(upload);
    if (found === "absent") missing.add(upload);
  }
  const [first] = different;
  // The manifest is the last one.
  const isWhole = !missing.has(uploads.at(-1) as Upload);
  if (first) throw isWhole ? immutable(label(manifest), first) : unfinished(label(manifest), first);

  progress.start(uploads.reduce((sum, { bytes }) => sum + bytes.byteLength, 0));
  const version = `${manifest.name}/${manifest.version}`;
  const signatures = await readSignatures(local);
  if (signatures !== "") await addSignatures(store, version, signatures);
  try {
    for (const upload of uploads) {
      const { key, bytes } = upload;
      if (missing.has(upload)) await put(store, upload, label(manifest));
      progress.done(key, bytes.byteLength, missing.has(upload) ? "uploaded" : "present");
    }
  } catch (error) {
    await dropStaleSignatures(store, version).catch(() => undefined);
    throw error;
  }
  await dropStaleSignatures(store, version);
  return { uploaded: missing.size, present: uploads.length - missing.size };
}

/**
 * The files to push, in the order in which they are written. Throws if a file is not the one that the manifest names.
 */
async function readUploads({ folder, manifest }: LocalPackage): Promise<Upload[]> {
  const uploads: Upload[] = [];
  const files = packageFiles(manifest).toSorted((a, b) => (a.file < b.file ? -1 : 1));
  for (const { file, sha256: expected } of files) {
    const bytes = await readFile(join(folder, file));
    if (sha256(bytes) !== expected)
      throw new Error(
        `${join(folder, file)} was changed: it does not match the sha256 in ${MANIFEST_FILE}. Nothing was pushed.`,
      );
    uploads.push({ key: `${manifest.name}/${manifest.version}/${file}`, bytes });
  }
  const bytes = await readFile(join(folder, MANIFEST_FILE));
  if (bytes.byteLength > MAX_MANIFEST_BYTES)
    throw new Error(
      `${join(folder, MANIFEST_FILE)} has ${bytes.byteLength} bytes, and at most ${MAX_MANIFEST_BYTES} are served: put large examples into examplesFile. Nothing was pushed.`,
    );
  uploads.push({ key: `${manifest.name}/${manifest.version}/${MANIFEST_FILE}`, bytes });
  return uploads;
}

const ATTEMPTS = 5;
const RETRY_MS = 200;

async function put(store: Store, upload: Upload, version: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await sleep(RETRY_MS);
    if (await store.put(upload.key, upload.bytes, { ifNoneMatch: "*" })) return;
    // Another push was faster, or the answer to our first attempt was lost. Equal bytes are as good.
    const found = await compare(store, upload);
    if (found === "same") return;
    if (found === "different") throw beaten(version, upload);
    // S3 refuses one of two writes that meet, at times both.
  }
  throw new Error(`The store did not take ${upload.key}: another push is under way. Push again.`);
}

async function compare(
  store: Store,
  { key, bytes }: Upload,
): Promise<"absent" | "same" | "different"> {
  const head = await store.head(key);
  if (!head) return "absent";
  if (head.size !== bytes.byteLength) return "different";
  const found = await store.get(key, { maxBytes: bytes.byteLength });
  if (!found || found === "not-modified") return "absent";
  return sha256(found.bytes) === sha256(bytes) ? "same" : "different";
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function immutable(version: string, { key }: Upload): Error {
  return new Error(
    `${version} is already in the store with other bytes (${key}). A version never changes: publish this one under a new number. Nothing was changed.`,
  );
}

function beaten(version: string, { key }: Upload): Error {
  return new Error(
    `${version} is already in the store with other bytes (${key}): another push was faster. A version never changes: publish this one under a new number.`,
  );
}

function unfinished(version: string, { key }: Upload): Error {
  return new Error(
    `Another push of ${version} is under way, or has ended unfinished, and has other bytes (${key}). Publish this one under a new number, or push again what that one pushed. Nothing was changed.`,
  );
}
