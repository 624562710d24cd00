import type { Assignment, Rollout } from "./types.ts";

const PARTS = 2 ** 32;

/**
 * The version that a key's calls get, as the service finds it. The key is what `X-Nearcast-Key` has, in ASCII: the
 * service refuses others. Without that header it is the caller's name, and without
 * authentication the request's id. The service may know a changed rollout some seconds later or earlier.
 *
 * @example
 * const rollout = await client.rollout("flowers");
 * const { version, reason } = assignment(rollout, "customer-42");
 */
export function assignment(
  { stable, salt, candidates }: Pick<Rollout, "stable" | "salt" | "candidates">,
  key: string,
): Assignment {
  const place = (hash(`${salt}:${key}`) / PARTS) * 100;
  let end = 0;
  for (const { version, percent = 0 } of candidates) {
    end += percent;
    if (place < end) return { version, reason: "candidate" };
  }
  return { version: stable, reason: "stable" };
}

/** FNV-1a over UTF-16 units, then MurmurHash3's finalizer. The service has the same function. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
