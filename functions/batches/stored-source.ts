import { concatenate } from "../concatenate.ts";
import { invalidInput, NearcastError } from "../errors.ts";
import type { Source } from "../inputs/source.ts";
import { boundJobStore } from "../jobs/bound-job-store.ts";
import type { Store } from "../model/store.ts";
import type { BatchInput } from "./batch.ts";
import type { BatchStore } from "./batch-store.ts";

/** Objects of the store that callers may name as inputs lie below it. No model can have this name. */
const FOLDER = ".batches";

/** The object of the store that a caller means. Each caller has a folder. Throws `invalid_input` for no plain path. */
export function objectOf(caller: string, path: string): string {
  const folder = encodeURIComponent(caller);
  const isPath = path.split("/").every((name) => /^[^.\\\u007F][^\\\u007F]*$/.test(name));
  if (!isPath || path.length > 500 || folder.startsWith("."))
    throw new NearcastError(
      "invalid_input",
      "input.object must be a path such as nightly/flowers.csv.",
      {
        issues: [{ path: "input.object", message: "must be a path such as nightly/flowers.csv" }],
      },
    );
  return `${FOLDER}/${folder}/${path}`;
}

/** The longest name of a file. */
const MOST_NAME_BYTES = 255;

/** The object beside an input that has a batch's lines. Throws `invalid_input` for a name that no file can have. */
export function besideOf(object: string, id: string, what: "output" | "errors"): string {
  const beside = `${object}.${id}.${what}.jsonl`;
  const name = beside.slice(beside.lastIndexOf("/") + 1);
  if (new TextEncoder().encode(name).length <= MOST_NAME_BYTES) return beside;
  throw invalidInput([
    { path: "input.object", message: `must have a shorter name: its outputs would be ${name}` },
  ]);
}

/** Rejects with `conflict` where there is an object that the batch would make, and with `invalid_input` for a long name. */
export async function checkBeside(
  store: Store,
  object: string,
  { id, timeoutMs }: { id: string; timeoutMs: number },
): Promise<void> {
  for (const what of ["output", "errors"] as const) {
    const beside = besideOf(object, id, what);
    if (await boundJobStore(timeoutMs)(store.head(beside)))
      throw new NearcastError(
        "conflict",
        `The store has an object ${beside} already. Remove it, or give the batch another id.`,
      );
  }
}

/** The size of an object. Rejects with `not_found`, and with `invalid_input` where the store gives no parts. */
export async function sizeOfObject(
  store: Store,
  object: string,
  timeoutMs: number,
): Promise<number> {
  if (!store.slice)
    throw new NearcastError(
      "invalid_input",
      "The store of this deployment gives no parts of objects.",
    );
  const found = await boundJobStore(timeoutMs)(store.head(object));
  if (found) return found.size;
  throw new NearcastError("not_found", `The store has no object ${object}.`);
}

interface OpenOptions {
  own: BatchStore;
  store: Store;
  timeoutMs: number;
  /**
   * Whether the bytes go to a client, which may read nothing for a while: then no more is held than was asked for. Otherwise a
   * part is read once, and kept until the next.
   */
  isSent?: boolean;
}

/** The bytes of a batch's input. */
export function openInput(
  input: BatchInput,
  name: string,
  { own, store, timeoutMs, isSent = false }: OpenOptions,
): Source {
  const { size } = input;
  const bounded = boundJobStore(timeoutMs);
  if ("object" in input)
    return {
      size,
      async slice(start, end) {
        const bytes = await bounded(
          store.slice?.(input.object, start, end) ?? Promise.resolve(undefined),
        );
        return checked(bytes ?? new Uint8Array(), end - start);
      },
    };
  const { parts, partBytes, of = name } = input;
  const whatOf = (part: number) => `${parts}-${part}`;
  let last: { part: number; bytes: Uint8Array } | undefined;
  async function read(part: number, start: number, end: number): Promise<Uint8Array> {
    if (isSent) return (await own.slice(of, whatOf(part), start, end)) ?? new Uint8Array();
    if (last?.part !== part)
      last = { part, bytes: (await own.bytes(of, whatOf(part))) ?? new Uint8Array() };
    return last.bytes.subarray(start, end);
  }
  return {
    size,
    async slice(start, end) {
      const pieces: Uint8Array[] = [];
      for (let at = start; at < end;) {
        const part = Math.floor(at / partBytes);
        const until = Math.min(end, (part + 1) * partBytes);
        pieces.push(await read(part, at - part * partBytes, until - part * partBytes));
        at = until;
      }
      return checked(concatenate(pieces), end - start);
    },
  };
}

/** Throws `conflict` for other bytes than were asked for. */
function checked(bytes: Uint8Array, wanted: number): Uint8Array<ArrayBuffer> {
  if (bytes.byteLength === wanted) return bytes as Uint8Array<ArrayBuffer>;
  throw new NearcastError("conflict", "The file has changed since the batch was made.");
}
