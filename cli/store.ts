import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { R2Bucket } from "@cloudflare/workers-types";
import { createFolderStore } from "../functions/platform/store/folder.ts";
import { createR2Store } from "../functions/platform/store/r2.ts";
import { createS3Store } from "../functions/platform/store/s3.ts";
import { parseStoreUrl } from "../functions/platform/store/url.ts";
import type { Store } from "../functions/model/store.ts";
import { within } from "../functions/within.ts";
import { importWrangler } from "./wrangler.ts";

export interface StoreOptions {
  /** `r2://` is the bucket that `wrangler dev` simulates, not Cloudflare's. */
  local?: true;
  /** Where `wrangler dev --persist-to` keeps that bucket. */
  persistTo?: string;
}

interface OpenStore {
  store: Store;
  close: () => Promise<void>;
}

const nothing = async (): Promise<void> => undefined;
const DEFAULT_TIMEOUT_MS = 60_000;

/**
 * Opens a folder, `s3://bucket/prefix` or `r2://bucket/prefix` for a piece of work, and closes it again.
 * Credentials and endpoint come from the environment. Rejects with what is missing, or as the work rejects.
 */
export async function withStore<T>(
  url: string,
  options: StoreOptions,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const opened = await open(url, options);
  try {
    return await work(withTimeout(opened.store, timeoutMs()));
  } finally {
    await opened.close();
  }
}

/** Whether a store's URL is a plain path. */
export function isFolder(url: string): boolean {
  return !/^\w+:\/\//.test(url);
}

async function open(url: string, options: StoreOptions): Promise<OpenStore> {
  if (isFolder(url)) {
    if (options.local) throw new Error("--local goes with an r2:// store.");
    const found = await stat(url).catch(() => undefined);
    if (!found?.isDirectory()) throw new Error(`There is no folder ${url}.`);
    return { store: createFolderStore(url), close: nothing };
  }
  const { protocol, bucket, prefix } = parseStoreUrl(url);
  if (protocol === "r2:" && options.local) return openLocalR2(bucket, prefix, options);
  if (options.local) throw new Error("--local goes with an r2:// store.");
  if (protocol === "r2:")
    return {
      store: createS3Store({
        bucket,
        prefix,
        endpoint: r2Endpoint(),
        forcePathStyle: true,
        region: "auto",
      }),
      close: nothing,
    };
  if (protocol === "s3:")
    return {
      store: createS3Store({
        bucket,
        prefix,
        endpoint: process.env["S3_ENDPOINT"] || undefined,
        forcePathStyle: process.env["S3_FORCE_PATH_STYLE"] === "true",
      }),
      close: nothing,
    };
  throw new Error(`${url} is neither a folder nor s3://bucket/prefix nor r2://bucket/prefix.`);
}

function r2Endpoint(): string {
  const { S3_ENDPOINT, CLOUDFLARE_ACCOUNT_ID } = process.env;
  if (S3_ENDPOINT) return S3_ENDPOINT;
  if (!CLOUDFLARE_ACCOUNT_ID)
    throw new Error(
      "r2:// needs CLOUDFLARE_ACCOUNT_ID, and an R2 access key in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; --local needs neither.",
    );
  return `https://${CLOUDFLARE_ACCOUNT_ID}.r2.cloudflarestorage.com`;
}

/** The bucket of `wrangler dev`, by its name in wrangler.toml or by its binding. */
async function openLocalR2(
  bucket: string,
  prefix: string,
  { persistTo }: StoreOptions,
): Promise<OpenStore> {
  const { getPlatformProxy, unstable_readConfig } = await importWrangler();
  const buckets = unstable_readConfig({}).r2_buckets as { binding: string; bucket_name?: string }[];
  const binding = buckets.find((one) => one.bucket_name === bucket || one.binding === bucket);
  if (!binding) {
    const known = buckets.map((one) => one.bucket_name ?? one.binding).join(", ") || "none";
    throw new Error(`wrangler.toml has no bucket ${bucket}; it has ${known}.`);
  }
  const { env, dispose } = await getPlatformProxy({
    remoteBindings: false,
    // wrangler keeps the state of its third format below the folder it is given.
    ...(persistTo !== undefined && { persist: { path: resolve(persistTo, "v3") } }),
  });
  return { store: createR2Store(env[binding.binding] as R2Bucket, prefix), close: dispose };
}

function timeoutMs(): number {
  const given = Number(process.env["STORE_TIMEOUT_MS"]);
  return given > 0 ? given : DEFAULT_TIMEOUT_MS;
}

/** A store that hangs ends the command with a message. */
function withTimeout(store: Store, limit: number): Store {
  const bounded = <T>(what: string, work: Promise<T>): Promise<T> =>
    within(work, limit, () => {
      throw new Error(`The store did not ${what} within ${limit / 1000} s.`);
    });
  return {
    get: (key, options) => bounded(`give ${key}`, store.get(key, options)),
    head: (key, options) => bounded(`give ${key}`, store.head(key, options)),
    list: (prefix, options) => bounded("give its list", store.list(prefix, options)),
    put: (key, bytes, condition) => bounded(`take ${key}`, store.put(key, bytes, condition)),
    delete: (key) => bounded(`remove ${key}`, store.delete(key)),
  };
}
