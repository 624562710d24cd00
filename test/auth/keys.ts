import { createHash } from "node:crypto";
import type { ApiKeyEntry } from "../../functions/auth/api-keys.ts";

/** A key for tests, the same for the same name and `part`, with its entry of `API_KEYS`. */
export function apiKey(name: string, rights: Partial<ApiKeyEntry> = {}, part = "one") {
  const key = `nc_${name}-${part}-0123456789abcdefghijklmnop`;
  const sha256 = createHash("sha256").update(key).digest("hex");
  return { key, entry: { name, sha256, ...rights } };
}

/** The value of `API_KEYS` with these entries. */
export function keyList(...keys: { entry: ApiKeyEntry }[]): string {
  return JSON.stringify(keys.map(({ entry }) => entry));
}

export function bearer(key: string): Record<string, string> {
  return { Authorization: `Bearer ${key}` };
}
