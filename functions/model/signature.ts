/** A file beside `model.json` with a line for each signer: `<public key> <signature>`, both in base64. */
export const SIGNATURE_FILE = "model.json.sig";

/** The most signatures of one manifest that are read. */
export const MAX_SIGNATURES = 32;
/** Twice the bytes of that many signatures. A huge file in the store must not take seconds. */
const MAX_SIGNATURE_FILE_BYTES = 8 * 1024;
/** A longer file is refused: it is none that a push wrote. */
export const MAX_STORED_SIGNATURE_BYTES = 64 * 1024;

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** Whether a text is an Ed25519 public key (RFC 8032) in base64. */
export function isPublicKey(text: string): boolean {
  return fromBase64(text)?.byteLength === KEY_BYTES;
}

/**
 * The signers of a manifest: the public keys in its signature file whose signatures fit exactly these bytes. Ignores
 * lines that are not signatures. Checks at most {@link MAX_SIGNATURES}, and with `among` only those by these keys.
 */
export async function signersOf(
  manifest: Uint8Array,
  signatures: string,
  among?: readonly string[],
): Promise<string[]> {
  const signers: string[] = [];
  let checked = 0;
  for (const line of signatures.slice(0, MAX_SIGNATURE_FILE_BYTES).split("\n")) {
    const [key = "", signature = ""] = line.trim().split(" ");
    if (among && !among.includes(key)) continue;
    checked += 1;
    if (checked > MAX_SIGNATURES) break;
    if (await fits(manifest, key, signature)) signers.push(key);
  }
  return signers;
}

async function fits(manifest: Uint8Array, key: string, signature: string): Promise<boolean> {
  const [keyBytes, signatureBytes] = [fromBase64(key), fromBase64(signature)];
  if (keyBytes?.byteLength !== KEY_BYTES || signatureBytes?.byteLength !== SIGNATURE_BYTES)
    return false;
  const publicKey = await crypto.subtle.importKey("raw", keyBytes, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", publicKey, signatureBytes, manifest as BufferSource);
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
