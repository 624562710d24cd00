import type { NearcastError } from "../../errors.ts";

const ERROR_CODES: Record<number, string> = {
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "RESOURCE_DOES_NOT_EXIST",
  429: "REQUEST_LIMIT_EXCEEDED",
  500: "INTERNAL_ERROR",
  503: "TEMPORARILY_UNAVAILABLE",
};

/** The body of an error for MLflow's clients. */
export function mlflowError(error: NearcastError) {
  const other = error.status < 500 ? "BAD_REQUEST" : "INTERNAL_ERROR";
  return { error_code: ERROR_CODES[error.status] ?? other, message: error.message };
}
