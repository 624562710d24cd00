import { createDynamodbCounters } from "../functions/platform/counters/dynamodb.ts";
import { createRedisCounters } from "../functions/platform/counters/redis.ts";
import type { Candidate } from "../functions/model/release.ts";
import { readEvidence, type Evidence } from "../functions/rollout/evidence.ts";
import type { RolloutStatus } from "../functions/rollout/status.ts";
import { openRedis } from "../functions/platform/redis.ts";
import { Option, type Command } from "commander";

/** Where the counts are. */
export interface EvidenceFlags {
  url?: string;
  key?: string;
  redis?: string;
  table?: string;
}

export type EvidenceOf = (model: string, candidate: Candidate) => Promise<Evidence>;

const TIMEOUT_MS = 30_000;

export function withEvidenceOptions(command: Command): Command {
  return command
    .option("--url <url>", "ask a deployment for what it counted")
    .addOption(new Option("--key <key>", "its key, with the scope read").env("NEARCAST_KEY"))
    .option("--redis <url>", "read what was counted from Redis")
    .option("--table <name>", "read what was counted from a DynamoDB table");
}

/** What reads the counts. Undefined when no place is given. Throws when several are. */
export function evidenceFrom({ url, key, redis, table }: EvidenceFlags): EvidenceOf | undefined {
  const given = [url, redis, table].filter((one) => one !== undefined);
  if (given.length > 1) throw new Error("Give one of --url, --redis and --table.");
  if (url !== undefined) return (model, candidate) => askDeployment(url, key, model, candidate);
  const place =
    redis !== undefined
      ? createRedisCounters(openRedis(redis))
      : table !== undefined
        ? createDynamodbCounters(table)
        : undefined;
  return place && ((model, candidate) => readEvidence(place, model, candidate));
}

async function askDeployment(
  url: string,
  key: string | undefined,
  model: string,
  { version, segments }: Candidate,
): Promise<Evidence> {
  const address = new URL(`v1/models/${model}/rollout`, url.endsWith("/") ? url : `${url}/`);
  const response = await fetch(address, {
    headers: key === undefined ? {} : { Authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok)
    throw new Error(`${address} answered ${response.status}: ${await response.text()}`);
  const { candidates } = (await response.json()) as RolloutStatus;
  const found = candidates.find((one) => one.version === version)?.segments ?? [];
  // The deployment may read another store, or an older release.
  const known = new Set(segments.map(({ id, since }) => `${id} ${since}`));
  return found.filter(({ segment }) => known.has(`${segment.id} ${segment.since}`));
}
