import type { Config } from "../../config.ts";
import { createObjectSource } from "../../features/object-source.ts";
import type { FeatureSource } from "../../features/source.ts";
import { openRedis } from "../redis.ts";
import { createFolderStore } from "../store/folder.ts";
import { createS3Store } from "../store/s3.ts";
import { parseStoreUrl } from "../store/url.ts";
import { createDynamodbSource } from "./dynamodb.ts";
import { createFeastSource } from "./feast.ts";
import { createPostgresSource, parsePostgresUrl } from "./postgres.ts";
import { createPostgresPool } from "./postgres-pool.ts";
import { createRedisSource } from "./redis.ts";

type Open = () => FeatureSource;

/**
 * The sources of `FEATURE_SOURCES` on Node and Lambda, each opened when it is first asked. Throws for a URL of another
 * kind.
 */
export function featureOpener({
  featureSources,
  s3,
}: Pick<Config, "featureSources" | "s3">): (name: string) => FeatureSource | undefined {
  const openers = new Map(featureSources.map(([name, url]) => [name, openerOf(name, url, s3)]));
  return (name) => openers.get(name)?.();
}

function openerOf(name: string, url: string, s3: Config["s3"]): Open {
  if (!/^[\w+]+:\/\//.test(url)) return () => createObjectSource(name, createFolderStore(url));
  if (/^rediss?:/.test(url)) return () => createRedisSource(name, openRedis(url));
  if (/^dynamodb:\/\/[\w.-]+$/.test(url))
    return () => createDynamodbSource(name, url.slice("dynamodb://".length));
  const table = parsePostgresUrl(url);
  if (table)
    return () => createPostgresSource(name, table, createPostgresPool(table.connectionString));
  if (/^feast\+https?:/.test(url)) return () => createFeastSource(name, url);
  if (!url.startsWith("s3:"))
    throw new Error(
      `FEATURE_SOURCES: ${name} must be a folder, s3://bucket/prefix, redis://host, dynamodb://table, postgres://host/database?table=name or feast+https://host here`,
    );
  const { bucket, prefix } = parseStoreUrl(url);
  return () => createObjectSource(name, createS3Store({ bucket, prefix, ...s3 }));
}
