import type { Observer } from "./observer.ts";

/**
 * One line for every request, with the same members on every platform. What a platform cannot measure
 * or a request did not come to is left out; inputs are in it only where the model's manifest says so.
 */
export function createAccessLog(log: (entry: Record<string, unknown>) => void): Observer {
  return {
    request({ id, traceId, method, path, status, caller, error, milliseconds, cold, call }) {
      log({
        level: "info",
        message: "request",
        requestId: id,
        traceId,
        method,
        path,
        key: caller,
        // A name that no model has is the client's own.
        model: call?.version && call.model,
        version: call?.version,
        digest: call?.digest && `sha256:${call.digest}`,
        status,
        code: error?.code,
        detail: status >= 500 ? error?.message : undefined,
        milliseconds,
        phases: call?.durations,
        cache: call?.cache,
        cold,
        inputs: call?.inputs,
      });
    },
  };
}
