import { MAX_SIGNATURES, SIGNATURE_FILE, signersOf } from "../functions/model/signature.ts";
import type { Store } from "../functions/model/store.ts";
import { MANIFEST_FILE } from "./package-folder.ts";

const ATTEMPTS = 10;

/**
 * Adds lines to a version's signature file. Signatures are not part of the version, because they cover its digest. So
 * another signer may come later, and two pushes at once keep each other's signatures.
 */
export async function addSignatures(store: Store, version: string, lines: string): Promise<void> {
  await change(store, version, async (there) =>
    [...there, ...linesOf(lines)].slice(-MAX_SIGNATURES),
  );
}

/** Removes lines that do not fit the manifest in the store: those of a push that lost to another one. */
export async function dropStaleSignatures(store: Store, version: string): Promise<void> {
  await change(store, version, async (there) => {
    const manifest = there.length > 0 && (await store.get(`${version}/${MANIFEST_FILE}`));
    if (!manifest || manifest === "not-modified") return there;
    const fitting = [];
    for (const line of there)
      if ((await signersOf(manifest.bytes, line)).length > 0) fitting.push(line);
    return fitting;
  });
}

async function change(
  store: Store,
  version: string,
  decide: (lines: readonly string[]) => Promise<readonly string[]>,
): Promise<void> {
  const key = `${version}/${SIGNATURE_FILE}`;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = await store.get(key);
    const current = found && found !== "not-modified" ? found : undefined;
    const before = linesOf(new TextDecoder().decode(current?.bytes ?? new Uint8Array()));
    const after = [...new Set(await decide(before))];
    if (after.join("\n") === before.join("\n")) return;
    const bytes = new TextEncoder().encode(`${after.join("\n")}\n`);
    if (await store.put(key, bytes, current ? { ifMatch: current.etag } : { ifNoneMatch: "*" }))
      return;
  }
  throw new Error(`The store did not take ${key}: other pushes are under way. Push again.`);
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
