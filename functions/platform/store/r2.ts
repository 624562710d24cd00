import type { R2Bucket, R2Conditional, R2Object, R2ObjectBody } from "@cloudflare/workers-types";
import {
  MAX_UNTOLD_BYTES,
  StoreRefusal,
  type PutCondition,
  type Store,
} from "../../model/store.ts";
import { TooManyBytes } from "../../read-at-most.ts";
import { r2Parts } from "./r2-parts.ts";

/** An R2 bucket through its binding; `prefix` is empty or ends in `/`. */
export function createR2Store(bucket: R2Bucket, prefix: string): Store {
  return withReasons({
    async get(key, { ifNoneMatch, maxBytes = MAX_UNTOLD_BYTES } = {}) {
      const object: R2ObjectBody | R2Object | null = await bucket.get(
        prefix + key,
        ifNoneMatch ? { onlyIf: { etagDoesNotMatch: ifNoneMatch } } : {},
      );
      if (!object) return undefined;
      // Does not ask for "body": through wrangler's proxy of a binding, even `in` would consume the body.
      if (!("arrayBuffer" in object)) return "not-modified";
      // R2 never gives more bytes than `size` says.
      if (object.size > maxBytes) throw new TooManyBytes(key, maxBytes);
      return { bytes: new Uint8Array(await object.arrayBuffer()), etag: object.etag };
    },
    async head(key) {
      const object = await bucket.head(prefix + key);
      return object ? { etag: object.etag, size: object.size } : undefined;
    },
    async slice(key, start, end) {
      const range = { offset: start, length: end - start };
      const object = await bucket.get(prefix + key, { range });
      return object ? new Uint8Array(await object.arrayBuffer()) : undefined;
    },
    // Names that begin with a dot come before `/` in the order of the list, and all others after it.
    async list(below) {
      const keys: string[] = [];
      let cursor: string | undefined;
      do {
        const from = cursor ? { cursor } : { startAfter: `${prefix + below}/` };
        const page = await bucket.list({ prefix: prefix + below, ...from });
        keys.push(...page.objects.map((object) => object.key.slice(prefix.length)));
        cursor = page.truncated ? page.cursor : undefined;
      } while (cursor);
      return keys;
    },
    async put(key, bytes, condition) {
      const options = condition ? { onlyIf: onlyIf(condition) } : {};
      const object = await inTime(() => bucket.put(prefix + key, bytes, options));
      return object?.etag;
    },
    inParts: r2Parts(bucket, prefix),
    delete: async (key) => bucket.delete(prefix + key),
  });
}

/** Error codes of R2. They are at the end of its messages. */
const REASONS: Record<string, string> = {
  10003: "access to its bucket is denied",
  10005: "the binding names a bucket that cannot exist",
  10006: "the binding names a bucket that does not exist",
};

/** Turns R2's plain Errors for mistakes in the configuration, such as a missing bucket, into refusals. */
function withReasons(store: Required<Store>): Store {
  return {
    get: (...asked) => store.get(...asked).catch(explain),
    head: (...asked) => store.head(...asked).catch(explain),
    slice: (...asked) => store.slice(...asked).catch(explain),
    list: (...asked) => store.list(...asked).catch(explain),
    put: (...asked) => store.put(...asked).catch(explain),
    inParts: store.inParts,
    delete: (...asked) => store.delete(...asked).catch(explain),
  };
}

/** R2 takes one write of an object a second, and refuses others with this code. */
const TOO_SOON = "10058";
const PAUSE_MS = 1000;
const MOST_WRITES = 4;

/** Writes again after a while what came too soon after another write of the object. */
async function inTime<T>(write: () => Promise<T>): Promise<T> {
  for (let writes = 1; ; writes++) {
    try {
      return await write();
    } catch (error) {
      if (codeOf(error) !== TOO_SOON || writes === MOST_WRITES) throw error;
    }
    // Two writers that met should not meet again.
    const pauseMs = PAUSE_MS * (1 + Math.random());
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

function codeOf(error: unknown): string {
  const [, code = ""] = (error instanceof Error && /\((\d+)\)$/.exec(error.message)) || [];
  return code;
}

function explain(error: unknown): never {
  const reason = REASONS[codeOf(error)];
  throw reason === undefined ? error : new StoreRefusal(reason, error as Error);
}

function onlyIf(condition: PutCondition): R2Conditional {
  return "ifMatch" in condition
    ? { etagMatches: condition.ifMatch }
    : { etagDoesNotMatch: condition.ifNoneMatch };
}
