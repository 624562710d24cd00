import type { AnalyticsEngineDataset } from "@cloudflare/workers-types";
import type { Observer } from "../observe/observer.ts";

/**
 * Writes a data point for each request into Workers Analytics Engine. An invocation may write 25; this is one. In this
 * order, blobs: method, route, status, error code, model, version, assignment. Doubles: 1, rows, tokens, cost, whether
 * it was a cold start. The index is the model.
 */
export function createAnalyticsPoints(dataset: AnalyticsEngineDataset): Observer {
  return {
    request({ method, route = "", status, error, call, cold }) {
      const known = call?.version === undefined ? undefined : call;
      dataset.writeDataPoint({
        indexes: [known?.model ?? ""],
        blobs: [
          method.slice(0, 16),
          route,
          String(status),
          error?.code ?? "",
          known?.model ?? "",
          known?.version ?? "",
          known?.reason ?? "",
        ],
        doubles: [1, known?.rows ?? 0, known?.tokens ?? 0, known?.cost ?? 0, cold ? 1 : 0],
      });
    },
  };
}
