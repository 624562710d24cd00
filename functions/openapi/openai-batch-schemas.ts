import { object, ref } from "./operation.ts";

const string = { type: "string" };
const whole = { type: "integer" };
const orNull = (schema: { type: string }) => ({ ...schema, type: [schema.type, "null"] });

/** A batch that was made of OpenAI's body, and the errors at its paths, for `components`. */
export const OPENAI_BATCH_SCHEMAS = {
  OpenAIBatch: {
    type: "object",
    description: "OpenAI's. Times are seconds since 1970, null where that has not happened.",
    required: ["id", "object", "endpoint", "input_file_id", "status", "created_at"],
    properties: {
      id: string,
      object: { const: "batch" },
      endpoint: string,
      model: orNull(string),
      errors: {
        type: ["object", "null"],
        properties: {
          object: { const: "list" },
          data: {
            type: "array",
            items: object({
              code: string,
              message: string,
              param: orNull(string),
              line: orNull(whole),
            }),
          },
        },
        description: "What is wrong with the file.",
      },
      input_file_id: string,
      completion_window: { const: "24h" },
      status: {
        enum: [
          "validating",
          "failed",
          "in_progress",
          "finalizing",
          "completed",
          "expired",
          "cancelling",
          "cancelled",
        ],
      },
      output_file_id: orNull(string),
      error_file_id: orNull(string),
      created_at: whole,
      in_progress_at: orNull(whole),
      expires_at: whole,
      finalizing_at: orNull(whole),
      completed_at: orNull(whole),
      failed_at: orNull(whole),
      expired_at: orNull(whole),
      cancelling_at: orNull(whole),
      cancelled_at: orNull(whole),
      request_counts: object({ total: whole, completed: whole, failed: whole }),
      metadata: { type: ["object", "null"], additionalProperties: string },
    },
  },
  BatchProblem: {
    description: "RFC 9457; error is OpenAI's.",
    type: "object",
    allOf: [
      ref("OpenAIError"),
      {
        required: ["type", "title", "status", "detail", "code", "requestId"],
        properties: {
          type: string,
          title: string,
          status: whole,
          detail: string,
          code: string,
          requestId: string,
          errors: { type: "array", items: object({ path: string, message: string }) },
        },
      },
    ],
  },
};
