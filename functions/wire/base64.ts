/** The bytes of `{"b64": "…"}`; undefined for any other value. Throws a RangeError for bad base64. */
export function base64Bytes(value: unknown): Uint8Array | undefined {
  if (typeof value !== "object" || value === null || !("b64" in value)) return undefined;
  try {
    return Uint8Array.from(atob(String(value.b64)), (character) => character.charCodeAt(0));
  } catch {
    throw new RangeError("has a b64 that is not base64");
  }
}
