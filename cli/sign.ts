import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MAX_SIGNATURES, SIGNATURE_FILE, signersOf } from "../functions/model/signature.ts";
import { MANIFEST_FILE, type LocalPackage } from "./package-folder.ts";

/** Length of the public key at the end of its DER form (RFC 8410). */
const KEY_BYTES = 32;

/** Writes a new Ed25519 private key as PKCS #8 PEM, readable only by its owner. Throws if the file exists. */
export async function createKey(path: string): Promise<void> {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  await writeFile(path, pem, { flag: "wx", mode: 0o600 });
}

/**
 * Adds the key's signature of the version's manifest to its signature file; returns the public key, base64. `pem` is the
 * private key, and `source` where it is from.
 */
export async function signPackage(
  local: LocalPackage,
  { pem, source }: { pem: string; source: string },
): Promise<string> {
  const privateKey = createPrivateKey(pem);
  if (privateKey.asymmetricKeyType !== "ed25519")
    throw new Error(`${source} is no Ed25519 key but ${privateKey.asymmetricKeyType}.`);
  const der = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const publicKey = der.subarray(-KEY_BYTES).toString("base64");
  const manifest = await readFile(join(local.folder, MANIFEST_FILE));
  const others = (await readSignatures(local))
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith(`${publicKey} `));
  const own = `${publicKey} ${sign(null, manifest, privateKey).toString("base64")}`;
  await writeFile(join(local.folder, SIGNATURE_FILE), `${[...others, own].join("\n")}\n`);
  return publicKey;
}

/** The signature file's text, empty without one. */
export async function readSignatures({ folder }: LocalPackage): Promise<string> {
  return readFile(join(folder, SIGNATURE_FILE), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
}

/** Throws when the signature file holds a signature of other bytes: the manifest was changed since. */
export async function checkSignatures(local: LocalPackage): Promise<void> {
  const signatures = await readSignatures(local);
  const lines = signatures.split("\n").filter((line) => line !== "");
  const path = join(local.folder, SIGNATURE_FILE);
  if (lines.length > MAX_SIGNATURES)
    throw new Error(
      `${path} has ${lines.length} signatures, and ${MAX_SIGNATURES} are looked at: take some out.`,
    );
  const manifest = await readFile(join(local.folder, MANIFEST_FILE));
  if ((await signersOf(manifest, signatures)).length !== lines.length)
    throw new Error(
      `${path} does not fit the manifest, which was changed after it was signed: sign it again.`,
    );
}
