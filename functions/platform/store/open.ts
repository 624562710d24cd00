import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../../config.ts";
import { createFolderCache, noCache } from "../folder-cache.ts";
import type { Store } from "../../model/store.ts";
import type { ArtifactCache } from "../types.ts";
import { createFolderStore } from "./folder.ts";
import { createS3Store } from "./s3.ts";
import { parseStoreUrl } from "./url.ts";

/**
 * Opens the store that `STORE` names, `s3://bucket/prefix` or a folder, and its local tier. A folder needs no local
 * tier. Throws for any other scheme.
 */
export function openStore(config: Config): { store: Store; artifacts: ArtifactCache } {
  if (!/^\w+:\/\//.test(config.store))
    return { store: createFolderStore(config.store), artifacts: noCache };
  const { protocol, bucket, prefix } = parseStoreUrl(config.store);
  if (protocol !== "s3:")
    throw new Error(`STORE must be a folder or s3://bucket/prefix here, not ${config.store}`);
  return {
    store: createS3Store({ bucket, prefix, ...config.s3 }),
    artifacts: createFolderCache(
      config.cacheDirectory ?? join(tmpdir(), "nearcast"),
      config.cacheDirectoryBytes,
    ),
  };
}
