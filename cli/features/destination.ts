import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeObjects } from "../../functions/features/object-source.ts";
import type { StoredFeatures } from "../../functions/features/source.ts";
import { writeToDynamodb } from "./dynamodb.ts";
import { kvPair } from "../../functions/platform/features/kv.ts";
import { writeToRedis } from "../../functions/platform/features/redis.ts";
import { openRedis } from "../../functions/platform/redis.ts";
import { parseStoreUrl } from "../../functions/platform/store/url.ts";
import { namedSource, namedSources } from "../../functions/variable.ts";
import { environmentOf } from "../deploy/cloudflare.ts";
import { askTool } from "../deploy/run-tool.ts";
import { isFolder, withStore, type StoreOptions } from "../store.ts";

export interface WriteOptions extends StoreOptions {
  /** The environment of wrangler's configuration that binds the KV namespace. */
  stage?: string;
}

/** wrangler takes so many at once. */
const PAIRS = 10_000;

/**
 * The name and the place of a source: `name=place`, or a name that `FEATURE_SOURCES` has. Throws an Error for anything
 * else.
 */
export function parseDestination(text: string, environment: NodeJS.ProcessEnv): [string, string] {
  const given = namedSource.safeParse(text);
  if (given.success) return [...given.data];
  const { data, error } = namedSources.optional().safeParse(environment["FEATURE_SOURCES"] || undefined); // oxfmt-ignore
  if (error) throw new Error(`FEATURE_SOURCES ${error.issues[0]?.message}.`);
  const known = data?.find(([name]) => name === text);
  if (known) return [...known];
  throw new Error(
    `--to needs a name with its place, like customers=redis://host:6379, or a name of FEATURE_SOURCES`,
  );
}

/** Writes the rows where the source of this name reads them. */
export async function writeFeatures(
  [name, place]: readonly [string, string],
  rows: readonly StoredFeatures[],
  options: WriteOptions,
): Promise<void> {
  if (/^rediss?:/.test(place)) return writeToRedis(openRedis(place), name, rows);
  if (place.startsWith("dynamodb://"))
    return writeToDynamodb(place.slice("dynamodb://".length), name, rows);
  if (/^(feast\+https?|postgres(ql)?|hyperdrive):/.test(place))
    throw new Error(
      `${name} is not filled from here: Postgres has INSERT and COPY, and Feast has materialize and push.`,
    );
  if (place.startsWith("kv://")) return writeToKv(parseStoreUrl(place).bucket, name, rows, options);
  if (isFolder(place)) await mkdir(place, { recursive: true });
  return withStore(place, options, (store) => writeObjects(store, rows));
}

/** Workers KV is written by the project's wrangler, which is logged in. */
async function writeToKv(
  binding: string,
  name: string,
  rows: readonly StoredFeatures[],
  { local, persistTo, stage }: WriteOptions,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-features-"));
  const where = [environmentOf(stage), local ? "--local" : "--remote"];
  if (persistTo !== undefined) where.push("--persist-to", persistTo);
  try {
    for (let start = 0; start < rows.length; start += PAIRS) {
      const pairs = rows.slice(start, start + PAIRS).map((row) => kvPair(name, row));
      const file = join(folder, "pairs.json");
      await writeFile(file, JSON.stringify(pairs));
      await askTool("wrangler", ["kv", "bulk", "put", file, "--binding", binding, ...where]);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
