import type { Parts } from "../define.ts";
import type { Effort } from "./effort.ts";

/**
 * Reads SentencePiece's map of characters from `tokenizer.json`. It is base64 of: the length of a trie, the trie (a
 * double array of little-endian uint32), and the replacements, each ended by a zero byte. Gives a function that
 * replaces characters as the reference does. Models were trained with the reference's oddities: in a cluster of less
 * than six bytes, only the first match counts, and the rest of the cluster is dropped.
 */
export function precompiledMap(base64: unknown): (text: string, effort: Effort) => Parts<string> {
  if (typeof base64 !== "string" || base64 === "")
    throw new Error("the normalizer Precompiled has no precompiled_charsmap");
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const size = bytes.length < 4 ? 0 : view.getUint32(0, true);
  if (size === 0 || size % 4 !== 0 || size + 4 > bytes.length)
    throw new Error("the precompiled_charsmap of the normalizer Precompiled is cut off");
  const units = Uint32Array.from({ length: size / 4 }, (_, index) =>
    view.getUint32(4 + index * 4, true),
  );
  const replacements = bytes.subarray(4 + size);
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  const clusters = new Intl.Segmenter("en", { granularity: "grapheme" });
  const known = new Map<string, string | undefined>();

  /** The replacement of the shortest beginning of these bytes that is in the map. */
  function search(key: Uint8Array): string | undefined {
    let position = offsetOf(units[0] ?? 0);
    for (const byte of key) {
      if (byte === 0) return undefined;
      position ^= byte;
      const unit = units[position] ?? 0;
      if ((unit & LABEL) >>> 0 !== byte) return undefined;
      position ^= offsetOf(unit);
      if ((unit >>> 8) & 1) {
        const start = (units[position] ?? 0) & VALUE;
        const end = replacements.indexOf(0, start);
        return decoder.decode(replacements.subarray(start, end < 0 ? undefined : end));
      }
    }
    return undefined;
  }

  function replacementOf(part: string): string | undefined {
    if (known.has(part)) return known.get(part);
    const found = search(encoder.encode(part));
    // Few texts have many different characters. A flood of them must not stay in memory.
    if (known.size < MAX_KNOWN) known.set(part, found);
    return found;
  }

  function replaceCluster(cluster: string): string {
    // Six UTF-16 units or more have at least six bytes, so that only shorter clusters need counting.
    if (cluster.length < 6 && encoder.encode(cluster).length < 6) {
      const whole = replacementOf(cluster);
      if (whole !== undefined) return whole;
    }
    let made = "";
    for (const character of cluster) made += replacementOf(character) ?? character;
    return made;
  }

  return function* replace(text, effort) {
    let made = "";
    let start = 0;
    for (const { 0: odd, index } of text.matchAll(ODD)) {
      for (const character of text.slice(start, index)) {
        if (effort.isDue(1)) yield;
        made += replacementOf(character) ?? character;
      }
      for (const { segment } of clusters.segment(odd)) {
        if (effort.isDue(segment.length)) yield;
        made += replaceCluster(segment);
      }
      start = index + odd.length;
    }
    for (const character of text.slice(start)) {
      if (effort.isDue(1)) yield;
      made += replacementOf(character) ?? character;
    }
    return made;
  };
}

/**
 * Characters that can share a cluster with others: marks, joiners, letters of Korean syllables, flags, ends of lines,
 * and prepended characters.
 */
const JOINING =
  "\\p{M}\\p{Grapheme_Extend}\\p{Emoji_Modifier}\\p{Cf}\\p{Regional_Indicator}\\r\\n\u0E33\u0EB3\u1100-\u11FF\uA960-\uA97F\uD7B0-\uD7FF\u0D4E\u{111C2}\u{111C3}\u{113D1}\u{1193F}\u{11941}\u{11A3A}\u{11A84}-\u{11A89}\u{11D46}\u{11F02}\u{16D63}-\u{16D6A}";

/** Places where characters may share a cluster. Each other character is a cluster of its own, and needs no search. */
const ODD = new RegExp(`(?:[^${JOINING}]?[${JOINING}]+)+[^${JOINING}]?`, "gu");

const MAX_KNOWN = 10_000;

// The fields of a unit of the trie, as in Darts-clone.
const LABEL = 0x8000_00ff;
const VALUE = 0x7fff_ffff;

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
