import type { Release } from "./release.ts";

/** Which version answers, and why: the released one, one on trial, or the one that was asked for by name. */
export interface Assignment {
  version: string;
  reason: "stable" | "candidate" | "named";
}

const PARTS = 2 ** 32;

/**
 * The version that answers a key; without a key it is the stable one. The same key gets the same version from every instance, without any of them
 * keeping state, and whoever has a candidate keeps it when its share grows.
 *
 * @example assign({ ...release, candidates: [{ version: "4", percent: 5 }] }, "customer-42")
 */
export function assign({ stable, candidates, salt }: Release, key: string | undefined): Assignment {
  if (candidates.length === 0 || key === undefined) return { version: stable, reason: "stable" };
  const place = (hash(`${salt}:${key}`) / PARTS) * 100;
  let end = 0;
  for (const candidate of candidates) {
    if (!("percent" in candidate)) continue;
    end += Number(candidate.percent);
    if (place < end) return { version: candidate.version, reason: "candidate" };
  }
  return { version: stable, reason: "stable" };
}

/** FNV-1a over UTF-16 units, then MurmurHash3's finalizer, which spreads keys that differ in their last digits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
