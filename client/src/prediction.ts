import type { Answer } from "./request.ts";
import type { Prediction } from "./types.ts";

/** The members that the answer to a prediction must have. */
export const PREDICTION_MEMBERS = ["model", "version", "outputs"];

export function predictionOf({ body, headers }: Answer, requestId = ""): Prediction<never> {
  return {
    ...(body as unknown as Prediction<never>),
    digest: headers.get("X-Model-Digest") ?? "",
    requestId: headers.get("X-Request-Id") ?? requestId,
  };
}
