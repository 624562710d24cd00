import type { Observer } from "./observer.ts";

/**
 * Writes one line for every request, with the same members on every platform. It leaves out what the platform cannot
 * measure and steps that the request did not reach. It has inputs only where the model's manifest asks for them.
 */
export function createAccessLog(log: (entry: Record<string, unknown>) => void): Observer {
  return {
    request({ id, trace, method, path, status, caller, error, milliseconds, cold, call }) {
      log({
        level: "info",
        message: "request",
        requestId: id,
        traceId: trace?.traceId,
        method,
        path,
        key: caller,
        // Logs only names of models that exist: others are made up by clients.
        model: call?.version && call.model,
        version: call?.version,
        digest: call?.digest && `sha256:${call.digest}`,
        status,
        code: error?.code,
        detail: status >= 500 ? error?.message : undefined,
        milliseconds,
        rows: call?.rows,
        tokens: call?.tokens,
        pixels: call?.pixels,
        seconds: call?.seconds,
        bytes: call?.bytes,
        cost: call?.cost,
        phases: call?.durations,
        cache: call?.cache,
        spilled: call?.spilled,
        features: call?.features,
        cold,
        inputs: call?.inputs,
      });
    },
  };
}
