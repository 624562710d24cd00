import type { Hyperdrive, KVNamespace, R2Bucket } from "@cloudflare/workers-types";
import { createObjectSource } from "../../features/object-source.ts";
import type { FeatureSource } from "../../features/source.ts";
import { createR2Store } from "../store/r2.ts";
import { parseStoreUrl } from "../store/url.ts";
import { createFeastSource } from "./feast.ts";
import { createHyperdrive } from "./hyperdrive.ts";
import { createPostgresSource, parsePostgresUrl } from "./postgres.ts";
import { createKvSource } from "./kv.ts";

/** The sources of `FEATURE_SOURCES` on Workers. Throws for a URL of another kind, and for a binding that is not there. */
export function boundFeatures(
  featureSources: readonly (readonly [name: string, url: string])[],
  env: Readonly<Record<string, unknown>>,
): (name: string) => FeatureSource | undefined {
  const sources = new Map(featureSources.map(([name, url]) => [name, openBound(name, url, env)]));
  return (name) => sources.get(name);
}

function openBound(
  name: string,
  url: string,
  env: Readonly<Record<string, unknown>>,
): FeatureSource {
  if (/^feast\+https?:/.test(url)) return createFeastSource(name, url);
  const known = /^(kv|r2|hyperdrive):\/\/(\w+)/.exec(url);
  const [, kind, bindingName = ""] = known ?? [];
  const binding = env[bindingName];
  const table = kind === "hyperdrive" ? parsePostgresUrl(url) : undefined;
  if (!binding || (kind === "hyperdrive" && !table))
    throw new Error(
      `FEATURE_SOURCES: ${name} must be kv://BINDING, r2://BINDING/prefix or hyperdrive://BINDING?table=name with a binding of wrangler.toml, or feast+https://host`,
    );
  if (kind === "kv") return createKvSource(name, binding as KVNamespace);
  if (table) return createPostgresSource(name, table, createHyperdrive(binding as Hyperdrive));
  const { prefix } = parseStoreUrl(url);
  return createObjectSource(name, createR2Store(binding as R2Bucket, prefix));
}
