import { ageOf } from "./age.ts";
import { NearcastError } from "./errors.ts";
import { createSingleFlight } from "./model/single-flight.ts";
import type { Platform } from "./platform/types.ts";

/** Longer than the platform's own time-out for reading a secret. */
const PATIENCE_MS = 10_000;

const RETRY_AFTER_SECONDS = 5;

/** A secret outside the configuration, and what it is used as. */
export interface SecretUse<T> {
  secretName: string;
  /** Undefined where there is no such secret. Throws for a text that cannot be used. */
  open: (text: string | undefined) => T;
  /** The error while the platform cannot read it. */
  unreadable: (cause: unknown) => NearcastError;
  /** For so long, a failure is given to everybody, and nothing is read. 0 when absent. */
  restMs?: number;
}

/**
 * Reads a secret once, when it is first needed. Requests at the same time share a read. A failed read rejects with what
 * `unreadable` or `open` gives, and a later request tries again.
 */
export function createSecretReader<T>(
  { secretName, open, unreadable, restMs = 0 }: SecretUse<T>,
  { readSecret, waitUntil }: Pick<Platform, "readSecret" | "waitUntil">,
): () => T | Promise<T> {
  const share = createSingleFlight({ waitUntil, patienceMs: PATIENCE_MS });
  let known: { value: T } | undefined;
  let failed: { error: unknown; at: number } | undefined;

  async function read(): Promise<T> {
    try {
      const text = await readSecret(secretName).catch((cause: unknown) => {
        throw unreadable(cause);
      });
      known = { value: open(text) };
      return known.value;
    } catch (error) {
      failed = { error, at: Date.now() };
      throw error;
    }
  }

  return function secret() {
    if (known) return known.value;
    if (failed && ageOf(failed.at) < restMs) return Promise.reject(failed.error);
    return share("secret", read);
  };
}

/** The error for a secret that has no usable text now. */
export function secretUnavailable(message: string, cause?: unknown): NearcastError {
  return new NearcastError("store_unavailable", message, {
    cause,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
