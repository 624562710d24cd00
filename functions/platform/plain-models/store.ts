import { digest } from "../../digest.ts";
import { MAX_UNTOLD_BYTES, StoreRefusal, type Store } from "../../model/store.ts";
import { TooManyBytes } from "../../read-at-most.ts";
import { createFolderStore } from "../store/folder.ts";
import type { PlainModels, Source } from "./read.ts";

/**
 * A store over a folder that nobody prepared for Nearcast: plain ONNX files get a manifest and a release, and packages are
 * served as they are. The folder is read once. If a model in it cannot be served, the store answers nothing, and says
 * why: no instance must become ready with a part of what it was given.
 */
export function createPlainStore(options: PlainModels): Store {
  const inner = createFolderStore(options.folder);
  let read: Promise<Map<string, Source>> | undefined;
  const objects = () =>
    (read ??= import("./read.ts").then(({ readObjects }) => readObjects(options)));
  void objects().catch(() => undefined);

  async function sourceOf(key: string): Promise<Source | undefined> {
    const found = (await objects()).get(key);
    return found ?? (isHidden(key) ? key : undefined);
  }

  return {
    async get(key, options = {}) {
      const source = await sourceOf(key);
      if (typeof source === "string") return inner.get(source, options);
      const { ifNoneMatch, maxBytes = MAX_UNTOLD_BYTES } = options;
      if (source && source.byteLength > maxBytes) throw new TooManyBytes(key, maxBytes);
      const found = source && { bytes: source, etag: await etagOf(source) };
      return found?.etag === ifNoneMatch && found ? "not-modified" : found;
    },
    async head(key) {
      const source = await sourceOf(key);
      if (typeof source === "string") return inner.head(source);
      return source && { etag: await etagOf(source), size: source.byteLength };
    },
    async slice(key, start, end) {
      const source = await sourceOf(key);
      return typeof source === "string"
        ? inner.slice?.(source, start, end)
        : source?.slice(start, end);
    },
    async list(prefix) {
      if (isHidden(prefix)) return inner.list(prefix);
      return [...(await objects()).keys()].filter((key) => key.startsWith(prefix)).toSorted();
    },
    put: async (key, ...rest) => inner.put(writable(key), ...rest),
    delete: async (key) => inner.delete(writable(key)),
    ...(inner.inParts && { inParts: inner.inParts }),
  };
}

/** What is no model: batches, jobs, captured inputs. */
function isHidden(key: string): boolean {
  return key.startsWith(".");
}

function writable(key: string): string {
  if (isHidden(key)) return key;
  const reason = "models that were found in a folder are not changed by the service";
  throw new StoreRefusal(reason, new Error(key));
}

async function etagOf(bytes: Uint8Array): Promise<string> {
  return `"${await digest(bytes)}"`;
}
