import { NearcastError } from "../errors.ts";
import { boundJobStore } from "../jobs/bound-job-store.ts";
import { PART_BYTES, type Store } from "../model/store.ts";
import { hasEnded, type Batch, type BatchInput, type Joined, type Joining } from "./batch.ts";
import type { BatchStore } from "./batch-store.ts";
import { readAnswers } from "./chunk.ts";
import { besideOf } from "./stored-source.ts";

/** So much is joined in one step. The next one may be done by another process. */
const STEP_MS = 20_000;
const STEP_CHUNKS = 256;
/** Longer than a step. Another process goes on then where this one has ended. */
const LEASE_MS = 60_000;
/** What another process has written into the same parts meanwhile makes them useless, which is rare. */
const MOST_RESTARTS = 3;

const WHATS = ["output", "errors"] as const;
type What = (typeof WHATS)[number];

const NOTHING: Joined = { tags: [] };
const BEGUN: Joining = { chunks: 0, output: NOTHING, errors: NOTHING, until: 0, restarts: 0 };

/** Where the lines of a batch are, joined. Errors are absent where there are none. */
export type Lines = Partial<Record<What, BatchInput>>;

interface Places {
  own: BatchStore;
  store: Store;
  timeoutMs: number;
}

/**
 * Joins a part of the chunks' lines in order: into objects beside the input, or into parts of the batch's own. Gives the lines
 * once all are joined, or when to go on. Rejects with `conflict` where an object is there that the batch has not made.
 */
export async function joinLines(
  name: string,
  places: Places,
): Promise<Lines | { retryAfterSeconds: number }> {
  const { own } = places;
  let claimed = undefined as (Batch & { joining: Joining }) | undefined;
  const found = await own.change(name, (one) => {
    const joining = one.joining ?? BEGUN;
    claimed = undefined;
    if (hasEnded(one) || joining.until > Date.now()) return undefined;
    return (claimed = { ...one, joining: { ...joining, until: Date.now() + LEASE_MS } });
  });
  if (!claimed) {
    const until = found && !hasEnded(found) ? (found.joining?.until ?? 0) : 0;
    return { retryAfterSeconds: Math.max(1, Math.ceil((until - Date.now()) / 1000)) };
  }
  return joinClaimed(name, claimed, places);
}

/** Drops what is written of objects that will not be, of a batch that has ended otherwise. */
export async function dropWritings(
  batch: Batch,
  { store, timeoutMs }: Omit<Places, "own">,
): Promise<void> {
  const { id, input, joining, status } = batch;
  if (!joining || !input || !("object" in input) || status === "succeeded") return;
  for (const what of WHATS) {
    const writing = joining[what].id;
    if (writing === undefined) continue;
    await boundJobStore(timeoutMs)(
      store.inParts?.drop(besideOf(input.object, id, what), writing) ?? Promise.resolve(),
    );
  }
}

async function joinClaimed(
  name: string,
  batch: Batch & { joining: Joining },
  places: Places,
): Promise<Lines | { retryAfterSeconds: number }> {
  const { own } = places;
  const { joining } = batch;
  const total = batch.cut.chunks;
  const ends = Date.now() + STEP_MS;
  const note = (change: Partial<Joining>) =>
    own.change(name, (one) =>
      one.joining && !hasEnded(one)
        ? { ...one, joining: { ...one.joining, ...change } }
        : undefined,
    );
  const lanes = await own.lanes(name);
  const last = readAnswers(await bytesOf(own, name, total - 1));
  const [output, errors] = WHATS.map((what) =>
    createJoiner(name, batch, what, {
      ...places,
      note: (joined) => note({ [what]: joined }),
      size: lanes.reduce(
        (sum, lane) => sum + lane[what === "output" ? "outputBytes" : "errorBytes"],
        0,
      ),
      last: last[what],
    }),
  ) as [Joiner, Joiner];
  await Promise.all([output.goOn(joining.chunks), errors.goOn(joining.chunks)]);
  let chunk = joining.chunks;
  while (chunk < total && chunk < joining.chunks + STEP_CHUNKS && Date.now() < ends) {
    const lines = readAnswers(await bytesOf(own, name, chunk));
    await output.add(lines.output);
    await errors.add(lines.errors);
    chunk += 1;
  }
  if (chunk < total) {
    for (const one of [output, errors]) await one.keepRest(chunk);
    await note({ chunks: chunk, output: output.joined, errors: errors.joined, until: 0 });
    for (const what of WHATS) await own.remove(name, restOf(what, joining.chunks));
    return { retryAfterSeconds: 0 };
  }
  const going = await note({ isMaking: true });
  // The message finds what has become of it.
  if (!going || hasEnded(going)) return { retryAfterSeconds: 0 };
  const made = { output: await output.end(), errors: await errors.end() };
  const now = await own.read(name);
  if (!now || (hasEnded(now) && now.status !== "succeeded"))
    for (const one of [output, errors]) await one.takeBack();
  if (made.output !== "again" && made.errors !== "again")
    return {
      ...(made.output && { output: made.output }),
      ...(made.errors && { errors: made.errors }),
    };
  if (joining.restarts === MOST_RESTARTS)
    throw new NearcastError("conflict", "The outputs could not be joined: their parts changed.");
  const spoilt = { ...joining, output: output.joined, errors: errors.joined };
  await dropWritings({ ...batch, joining: spoilt }, places).catch(() => {});
  await note({ ...BEGUN, restarts: joining.restarts + 1 });
  return { retryAfterSeconds: 1 };
}

async function bytesOf(own: BatchStore, name: string, chunk: number) {
  const bytes = await own.bytes(name, `out-${chunk}`);
  if (!bytes) throw new Error(`The batch has lost chunk ${chunk}.`);
  return bytes;
}

type Joiner = ReturnType<typeof createJoiner>;

const restOf = (what: What, chunk: number) => `rest-${what}-${chunk}`;

interface JoinerOptions extends Places {
  note: (joined: Joined) => Promise<unknown>;
  /** Of all lines. */
  size: number;
  /** The lines of the last chunk. */
  last: Uint8Array;
}

/** Joins the lines of one kind. What does not fill a part yet is held, and kept between steps. */
function createJoiner(
  name: string,
  { id, input, joining }: Batch & { joining: Joining },
  what: What,
  { own, store, timeoutMs, note, size, last }: JoinerOptions,
) {
  const bounded = boundJobStore(timeoutMs);
  const parts = store.inParts;
  const object = input && "object" in input && parts ? besideOf(input.object, id, what) : undefined;
  const held = new Uint8Array(size > 0 ? PART_BYTES : 0);
  let used = 0;
  let joined: Joined = joining[what];
  let made: BatchInput | undefined;
  let isMadeHere = false;

  async function flush(): Promise<void> {
    const [part, bytes] = [joined.tags.length, held.slice(0, used)];
    used = 0;
    let tag = "";
    if (object === undefined || !parts) await own.write(name, `${what}-${part}`, bytes);
    else {
      if (joined.id === undefined) {
        joined = { ...joined, id: await bounded(parts.begin(object)) };
        await note(joined);
      }
      tag = await bounded(parts.put(object, joined.id ?? "", part, bytes));
    }
    joined = { ...joined, tags: [...joined.tags, tag] };
  }

  /** What a process made that ended before it could tell: when the batch was made, nothing was there. */
  async function find(path: string): Promise<BatchInput | undefined> {
    const there = await bounded(store.head(path));
    if (!there) return undefined;
    if (joining.isMaking && there.size === size && (await isEnd(path)))
      return { object: path, size };
    throw new NearcastError("conflict", `The store has another object ${path} already.`);
  }

  async function isEnd(path: string): Promise<boolean> {
    if (last.length === 0) return true;
    const end = store.slice?.(path, size - last.length, size) ?? Promise.resolve(undefined);
    return isSame(await bounded(end), last);
  }

  async function make(path: string): Promise<boolean> {
    if (joined.id === undefined || !parts) {
      const etag = await bounded(store.put(path, held.slice(0, used), { ifNoneMatch: "*" }));
      return etag !== undefined;
    }
    if (used > 0) await flush();
    // Whatever is wrong with the parts, it is begun anew.
    return bounded(parts.end(path, joined.id, joined.tags)).catch(() => false);
  }

  return {
    get joined() {
      return joined;
    },
    /** Rejects with `conflict` where another object is in the way. */
    async goOn(chunk: number): Promise<void> {
      if (size === 0) return;
      made = object === undefined ? undefined : await find(object);
      const rest = await own.bytes(name, restOf(what, chunk));
      held.set(rest ?? []);
      used = rest?.length ?? 0;
    },
    async add(bytes: Uint8Array): Promise<void> {
      if (made) return;
      for (let at = 0; at < bytes.length;) {
        const count = Math.min(bytes.length - at, PART_BYTES - used);
        held.set(bytes.subarray(at, at + count), used);
        [used, at] = [used + count, at + count];
        if (used === PART_BYTES) await flush();
      }
    },
    keepRest: (chunk: number) => own.write(name, restOf(what, chunk), held.slice(0, used)),
    /** Undefined where there are no lines. `again`: it is not made, and has to be begun anew. */
    async end(): Promise<BatchInput | "again" | undefined> {
      if (size === 0 || made) return made;
      if (object !== undefined) {
        isMadeHere = await make(object);
        return isMadeHere ? { object, size } : "again";
      }
      if (used > 0) await flush();
      return { parts: what, size, partBytes: PART_BYTES };
    },
    /** Removes the object that was made for a batch that is gone: another one of its id may make it. */
    async takeBack(): Promise<void> {
      if (isMadeHere && object !== undefined) await bounded(store.delete(object));
    },
  };
}

function isSame(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one?.length === other.length && other.every((byte, at) => byte === one[at]);
}
