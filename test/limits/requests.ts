import { setTimeout as sleep } from "node:timers/promises";
import type { Target } from "../harness/targets.ts";

export const IRIS = [5.1, 3.5, 1.4, 0.2];

/** The clock fixes the windows. These are long enough that no test meets a border. Each test has its own rate. */
export const WINDOW_SECONDS = 90_000;

/** With these settings only a rate refuses requests that come at once. */
export const NO_OTHER_LIMITS = {
  MAX_CONCURRENCY: "2000",
  MAX_QUEUE_MS: "120000",
  REQUEST_TIMEOUT_MS: "120000",
  STORE_TIMEOUT_MS: "120000",
};

/**
 * Waits until so many seconds of the current minute are left. The clock fixes windows of a minute in DynamoDB, in the
 * simulated binding, and, as far as is known, in Cloudflare's own.
 */
export async function awayFromBorder(seconds: number): Promise<void> {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < seconds * 1000) await sleep(left + 100);
}

export interface Sent {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** The address that the tests connect to. A name could mean either of two addresses. */
function addressOf(target: Target): Target["fetch"] {
  const { url } = target;
  if (!url) return target.fetch;
  return (path, init) => fetch(new URL(path, url.replace("localhost", "127.0.0.1")), init);
}

export async function send(
  target: Target,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Sent> {
  const answer = await addressOf(target)(path, {
    method: body === undefined ? "GET" : "POST",
    headers: { "Content-Type": "application/json", ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const parsed = /json/.test(answer.headers.get("content-type") ?? "") ? JSON.parse(text) : {};
  return {
    status: answer.status,
    headers: answer.headers,
    body: parsed as Record<string, unknown>,
  };
}

/** A prediction of `rows` rows. */
export function predict(
  target: Target,
  rows = 1,
  headers: Record<string, string> = {},
): Promise<Sent> {
  const inputs = rows === 1 ? IRIS : Array.from({ length: rows }, () => IRIS);
  return send(target, "/v1/models/iris/predict", { inputs }, headers);
}

/** Sends predictions at once, spread over the targets. Counts the answers of each status. */
export async function flood(
  targets: readonly Target[],
  count: number,
): Promise<Record<number, number>> {
  const statuses = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const target = targets[index % targets.length] as Target;
      return (await predict(target)).status;
    }),
  );
  const counts: Record<number, number> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
