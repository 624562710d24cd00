import type { Batch } from "./batch.ts";
import type { BatchStore } from "./batch-store.ts";
import { readAnswers, writeLines } from "./chunk.ts";

/** The outputs or errors of all rows, in order. */
export async function* linesOf(
  own: BatchStore,
  name: string,
  { requests, cut: { chunks } }: Batch,
  what: "output" | "errors",
): AsyncGenerator<Uint8Array> {
  for (let chunk = 0; chunk < chunks; chunk++) {
    const bytes = await own.bytes(name, `out-${chunk}`);
    // Requests of a batch that ended too late to pass them over have no lines.
    if (!bytes && requests) continue;
    if (!bytes) throw new Error(`The batch has lost chunk ${chunk}.`);
    const part = readAnswers(bytes)[what];
    if (part.length > 0) yield part;
  }
}

/** Removes the outputs or the errors of a chunk. */
export async function removeLines(
  own: BatchStore,
  name: string,
  chunk: number,
  what: "output" | "errors",
): Promise<void> {
  const bytes = await own.bytes(name, `out-${chunk}`);
  if (!bytes) return;
  const { counts, ...lines } = readAnswers(bytes);
  const decoder = new TextDecoder();
  const [output, errors] = [decoder.decode(lines.output), decoder.decode(lines.errors)];
  await own.write(
    name,
    `out-${chunk}`,
    writeLines(counts, [what === "output" ? "" : output], [what === "errors" ? "" : errors]),
  );
}
