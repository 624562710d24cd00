import type { ErrorCode, NearcastError } from "../../errors.ts";

/** Failures of the model, which TEI answers with 424. */
const BACKEND: ReadonlySet<ErrorCode> = new Set([
  "model_corrupt",
  "model_untrusted",
  "model_too_large",
  "runtime_failed",
  "out_of_memory",
  "answer_too_large",
]);
const OVERLOADED: ReadonlySet<ErrorCode> = new Set(["overloaded", "rate_limited"]);

/** The body of an error for TEI's clients. */
export function teiError({ code, message, status }: NearcastError) {
  const type = OVERLOADED.has(code)
    ? "Overloaded"
    : BACKEND.has(code) || code === "internal"
      ? "Backend"
      : status < 500
        ? "Validation"
        : "Unhealthy";
  return { error: message, error_type: type };
}

/** The status of an error where TEI has another one than the other dialects. */
export function teiStatus({ code }: NearcastError): number | undefined {
  if (code === "overloaded") return 429;
  return BACKEND.has(code) ? 424 : undefined;
}
