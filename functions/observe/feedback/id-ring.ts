/** Ids by place. A place may get another id. */
export interface IdRing {
  set(place: number, id: string): void;
  at(place: number): string;
}

/** As long as a UUID. */
const USUAL_LENGTH = 36;
/** In place of a length: the id is elsewhere. */
const ELSEWHERE = 255;

/**
 * Keeps ids as bytes outside of the heap: as strings each would be copied twice by the collector, and then fill the old
 * generation. Longer ids than a UUID, and those with other characters than Latin-1, are kept as strings.
 */
export function createIdRing(places: number): IdRing {
  /** Made with the first id: most services keep none. */
  let bytes = new Uint8Array(0);
  const lengths = new Uint8Array(places);
  const elsewhere = new Map<number, string>();

  function write(place: number, id: string): boolean {
    if (id.length > USUAL_LENGTH) return false;
    const start = place * USUAL_LENGTH;
    for (let index = 0; index < id.length; index++) {
      const code = id.charCodeAt(index);
      if (code > 255) return false;
      bytes[start + index] = code;
    }
    lengths[place] = id.length;
    return true;
  }

  return {
    set(place, id) {
      if (bytes.length === 0) bytes = new Uint8Array(places * USUAL_LENGTH);
      if (elsewhere.size > 0) elsewhere.delete(place);
      if (write(place, id)) return;
      lengths[place] = ELSEWHERE;
      elsewhere.set(place, id);
    },
    at(place) {
      const length = lengths[place] ?? 0;
      if (length === ELSEWHERE) return elsewhere.get(place) ?? "";
      const start = place * USUAL_LENGTH;
      return String.fromCharCode(...bytes.subarray(start, start + length));
    },
  };
}
