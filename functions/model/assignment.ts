import { shadowOf, type Release } from "./release.ts";

/**
 * The version that answers, and why: it is released, it is on trial, the call's path named it, or a header that needs
 * the scope `override`. Or it stands in for one that cannot answer now.
 */
export interface Assignment {
  version: string;
  reason: "stable" | "candidate" | "named" | "override" | "fallback";
  /** The release that decided. Present only while versions are on trial. */
  release?: Release;
  /** The versions that get a copy of the call. Absent when none does. */
  shadows?: readonly string[];
}

/** How many values {@link hash} has. */
export const PARTS = 2 ** 32;

/**
 * The version for a key, or the stable one without a key. All instances give the same key the same version, without
 * keeping state. A key that has a candidate keeps it when the candidate's share grows.
 *
 * @example assign({ ...release, candidates: [{ version: "4", percent: 5 }] }, "customer-42")
 */
export function assign(release: Release, key: string | undefined): Assignment {
  const { stable, candidates, salt } = release;
  if (candidates.length === 0) return { version: stable, reason: "stable" };
  if (key === undefined) return { version: stable, reason: "stable", release };
  const place = (finish(fold(fold(fold(OFFSET, salt), ":"), key)) / PARTS) * 100;
  let end = 0;
  for (const candidate of candidates) {
    if (!("percent" in candidate)) continue;
    end += Number(candidate.percent);
    if (place < end) return { version: candidate.version, reason: "candidate", release };
  }
  const shadows = shadowsOf(release, place);
  return { version: stable, reason: "stable", release, ...(shadows && { shadows }) };
}

/**
 * The versions that get a copy of the key's calls. Shares of answers are taken from one end of the keys, and those of
 * copies from the other: only what stable answers is copied.
 */
function shadowsOf({ candidates }: Release, place: number): string[] | undefined {
  let shadows: string[] | undefined;
  for (const candidate of candidates)
    if (place >= 100 - (shadowOf(candidate) ?? 0)) (shadows ??= []).push(candidate.version);
  return shadows;
}

/** FNV-1a over UTF-16 units, then MurmurHash3's finalizer, which spreads keys that differ only in their last digits. */
export function hash(text: string): number {
  return finish(fold(OFFSET, text));
}

/** What FNV-1a begins with. */
const OFFSET = 0x811c9dc5;

/** Continues with a text. A text of several parts is not put together: that would take longer than all else. */
function fold(begun: number, text: string): number {
  let value = begun;
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value;
}

function finish(folded: number): number {
  let value = Math.imul(folded ^ (folded >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
