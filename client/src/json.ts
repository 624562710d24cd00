/**
 * Writes a request's body as JSON. Bytes and blobs anywhere in it become base64, the service's form of images. A BigInt
 * becomes a decimal string, its form of INT64.
 */
export async function toJson(body: unknown): Promise<string> {
  const blobs = new Map<Blob, string>();
  const encoded = encode(body, blobs);
  if (blobs.size === 0) return JSON.stringify(encoded);
  // Only reading a blob takes a promise, and most bodies have none.
  await Promise.all(
    [...blobs.keys()].map(async (blob) => {
      blobs.set(blob, toBase64(new Uint8Array(await blob.arrayBuffer())));
    }),
  );
  return JSON.stringify(encode(body, blobs));
}

/** A copy for JSON. Puts blobs that are not in the map yet into it, to be read. */
function encode(value: unknown, blobs: Map<Blob, string>): unknown {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  // By tag, because test runners give pages and Node different classes of the same name.
  switch (Object.prototype.toString.call(value)) {
    case "[object Uint8Array]":
      return toBase64(value as Uint8Array);
    case "[object Blob]":
    case "[object File]": {
      const blob = value as Blob;
      if (!blobs.has(blob)) blobs.set(blob, "");
      return blobs.get(blob);
    }
  }
  if (Array.isArray(value)) return value.map((element) => encode(element, blobs));
  if ("toJSON" in value) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, encode(member, blobs)]),
  );
}

/** More arguments than this could exceed an engine's stack. */
const CHUNK = 0x80_00;

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let start = 0; start < bytes.length; start += CHUNK)
    binary += String.fromCharCode(...bytes.subarray(start, start + CHUNK));
  return btoa(binary);
}
