import type { Caller } from "../auth/caller.ts";
import type { Format } from "../inputs/row.ts";
import { lookedUpBy } from "./output-lines.ts";
import { storedCaller } from "../jobs/job.ts";
import type { Resolved } from "../model/registry.ts";
import { newWebhook, type AskedWebhook } from "../webhooks/webhook.ts";
import type { Batch, BatchInput, Requests } from "./batch.ts";

/** What a batch is made of. */
export interface AskedBatch {
  caller: Caller;
  /** The client's own id, or a new one. */
  id: string;
  requestId: string;
  rateKey: string | undefined;
  format: Format;
  header?: "present" | "absent" | undefined;
  parameters?: unknown;
  /** An object of the caller's, or the file itself. */
  input: { object: string } | AsyncIterable<Uint8Array>;
  version: Resolved;
  webhook?: AskedWebhook | undefined;
}

/** What a batch of requests is made of. Its model is in its file. */
export interface AskedRequests extends Pick<
  AskedBatch,
  "caller" | "requestId" | "rateKey" | "webhook"
> {
  id: string;
  input: BatchInput;
  requests: Requests;
  /** From its making on. What has not run by then has expired. */
  windowMs: number;
}

/** What is not known of a batch of requests before its file was read. */
const NOT_READ = {
  model: "",
  version: "",
  digest: "",
  assignment: { version: "", reason: "stable" as const },
  format: "jsonl" as const,
  fingerprint: "",
  cut: { chunks: 0, rows: 0 },
};

/** A batch whose file is still to come. */
export function newBatch(asked: AskedBatch, generation: string, ttlMs: number): Batch {
  const { format, header, parameters, version } = asked;
  const { manifest, reason, release } = version;
  const now = Date.now();
  return {
    ...whose(asked),
    generation,
    model: manifest.name,
    version: manifest.version,
    digest: manifest.artifact.sha256,
    assignment: { version: manifest.version, reason, ...(release && { release }) },
    format,
    header,
    parameters,
    ...(manifest.lookup && { lookedUp: lookedUpBy(manifest.lookup) }),
    fingerprint: "",
    status: "queued",
    events: [{ status: "queued", at: now }],
    cut: { chunks: 0, rows: 0 },
    expiresAt: now + ttlMs,
  };
}

export function newRequestsBatch(asked: AskedRequests): Batch {
  const { input, requests, windowMs } = asked;
  const now = Date.now();
  return {
    ...whose(asked),
    ...NOT_READ,
    generation: crypto.randomUUID(),
    input,
    requests,
    status: "validating",
    events: [{ status: "validating", at: now }],
    expiresAt: now + windowMs,
  };
}

function whose({ id, caller, requestId, rateKey, webhook }: AskedBatch | AskedRequests) {
  return {
    id,
    caller: storedCaller(caller),
    requestId,
    ...(rateKey !== undefined && { rateKey }),
    ...(webhook && { webhook: newWebhook(webhook) }),
  };
}
