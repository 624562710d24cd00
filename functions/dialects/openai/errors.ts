import type { ErrorCode, NearcastError } from "../../errors.ts";

const MODEL_NOT_FOUND = "model_not_found";

/** OpenAI's codes for errors. */
const CODES: Partial<Record<ErrorCode, string>> = {
  unauthorized: "invalid_api_key",
  unknown_model: MODEL_NOT_FOUND,
  unknown_version: MODEL_NOT_FOUND,
  rate_limited: "rate_limit_exceeded",
};

/** OpenAI's code for one of ours. The same where it has none. */
export function openaiCode(code: string): string {
  return CODES[code as ErrorCode] ?? code;
}

/** The body of an error for OpenAI's clients. */
export function openaiError(error: NearcastError) {
  return {
    error: {
      message: error.message,
      type: error.status < 500 ? "invalid_request_error" : "server_error",
      param: CODES[error.code] === MODEL_NOT_FOUND ? "model" : (error.issues?.[0]?.path ?? null),
      code: openaiCode(error.code),
    },
  };
}
