import type { Parts } from "../../functions/tasks/define.ts";

/** Does all parts of a work, and counts them. */
export async function done<T>(parts: Parts<T>): Promise<{ value: T; count: number }> {
  for (let count = 1; ; count++) {
    const part = parts.next();
    if (part.done) return { value: part.value, count };
    if (part.value) await part.value();
  }
}
