import type { Parts } from "../define.ts";
import { CLUSTERS } from "./clusters.ts";
import type { Effort } from "./effort.ts";

/** Is told which parts of a text stay, and which are replaced, in order. */
interface ReplacedParts {
  keep(text: string): void;
  replace(old: string, text: string): void;
}

/**
 * Reads SentencePiece's map of characters from `tokenizer.json`. It is base64 of: the length of a trie, the trie (a
 * double array of little-endian uint32), and the replacements, each ended by a zero byte. Gives a function that
 * replaces characters as the reference does. Models were trained with the reference's oddities: in a cluster of less
 * than six bytes, only the first match counts, and the rest of the cluster is dropped.
 */
export function precompiledMap(
  base64: unknown,
): (text: string, effort: Effort, changes?: ReplacedParts) => Parts<string> {
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
  const known = new Map<string, string | undefined>();
  /** By code point: 1 where it is known that the map does not have it. */
  const isAbsent = new Uint8Array(0x11_0000);

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
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(part, found);
    return found;
  }

  function replaceEach(text: string, changes: ReplacedParts | undefined): string {
    let made = "";
    let start = 0;
    for (let at = 0; at < text.length;) {
      const point = text.codePointAt(at)!;
      const end = at + (point > 0xffff ? 2 : 1);
      if (isAbsent[point] === 0) {
        const found = replacementOf(text.slice(at, end));
        if (found === undefined) isAbsent[point] = 1;
        else {
          made += text.slice(start, at) + found;
          changes?.keep(text.slice(start, at));
          changes?.replace(text.slice(at, end), found);
          start = end;
        }
      }
      at = end;
    }
    changes?.keep(text.slice(start));
    return made + text.slice(start);
  }

  return function* replace(text, effort, changes) {
    let made = "";
    let start = 0;
    for (const { 0: cluster, index } of text.matchAll(CLUSTERS)) {
      const end = index + cluster.length;
      if (effort.isDue(end - start)) yield;
      const whole = isShort(cluster) ? replacementOf(cluster) : undefined;
      made += replaceEach(text.slice(start, index), changes);
      if (whole !== undefined) changes?.replace(cluster, whole);
      made += whole ?? replaceEach(cluster, changes);
      start = end;
    }
    if (effort.isDue(text.length - start)) yield;
    return made + replaceEach(text.slice(start), changes);
  };
}

/** Whether it has less than six bytes of UTF-8. */
function isShort(cluster: string): boolean {
  let bytes = cluster.length;
  // Each half of a character beyond the first plane counts two bytes.
  for (let at = 0; at < cluster.length && bytes < 6; at++) {
    const unit = cluster.charCodeAt(at);
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes < 6;
}

const MAX_KNOWN = 10_000;

// The fields of a unit of the trie, as in Darts-clone.
const LABEL = 0x8000_00ff;
const VALUE = 0x7fff_ffff;

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
