import type { KVNamespace, R2Bucket } from "@cloudflare/workers-types";
import { createObjectSource } from "../../features/object-source.ts";
import type { FeatureSource } from "../../features/source.ts";
import { createR2Store } from "../store/r2.ts";
import { parseStoreUrl } from "../store/url.ts";
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
  const isKnown = /^(kv|r2):\/\//.test(url);
  const { protocol, bucket, prefix } = isKnown ? parseStoreUrl(url) : NOTHING;
  const binding = env[bucket];
  if (!binding)
    throw new Error(
      `FEATURE_SOURCES: ${name} must be kv://BINDING or r2://BINDING/prefix with a binding of wrangler.toml`,
    );
  return protocol === "kv:"
    ? createKvSource(name, binding as KVNamespace)
    : createObjectSource(name, createR2Store(binding as R2Bucket, prefix));
}

const NOTHING = { protocol: "", bucket: "", prefix: "" };
