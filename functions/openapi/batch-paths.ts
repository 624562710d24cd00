import { batchRequest } from "../http/batches.ts";
import { openaiBatchRequest } from "../dialects/openai/batches.ts";
import { PAGE, pageOf, query } from "./file-paths.ts";
import { OPENAI_BATCH_SCHEMAS } from "./openai-batch-schemas.ts";
import { answers, json, pathsOf, ref } from "./operation.ts";
import { schemaOf } from "./schema.ts";

const string = { type: "string" };
const time = { type: "string", format: "date-time" };
const count = { type: "integer", minimum: 0 };

/** The schema of a batch, for `components`. */
export const BATCH_SCHEMAS = {
  ...OPENAI_BATCH_SCHEMAS,
  Batch: {
    type: "object",
    required: ["id", "status", "model", "version", "digest", "counts", "created_at", "expires_at"],
    properties: {
      id: string,
      status: {
        enum: ["queued", "validating", "running", "succeeded", "failed", "canceled", "expired"],
      },
      model: string,
      version: { ...string, description: "It was decided when the batch was made." },
      digest: string,
      counts: {
        type: "object",
        required: ["completed", "failed"],
        properties: { total: count, completed: count, failed: count },
        description: "Rows. The total is there once the file was read.",
      },
      progress: {
        type: "object",
        required: ["done", "known", "read"],
        properties: { done: count, known: count, read: { type: "number", minimum: 0, maximum: 1 } },
        description:
          "Rows that are done, of those read so far, and the share of the file that is read.",
      },
      created_at: time,
      ended_at: time,
      expires_at: time,
      error: {
        type: "object",
        properties: { code: string, detail: string },
        description: "Why the file cannot be read.",
      },
      output: { ...string, description: "Where the outputs are: line n is that of row n." },
      errors: { ...string, description: "Where the errors are, if there are any." },
      output_object: { ...string, description: "The object beside the input with the outputs." },
      webhook: ref("Webhook"),
      errors_object: { ...string, description: "The object beside the input with the errors." },
    },
  },
};

const ID = {
  name: "id",
  in: "path",
  required: true,
  schema: { type: "string", pattern: "^[\\w.~-]{1,128}$" },
};

const UPLOAD = [
  query("model", "For an upload."),
  query("version", "For an upload."),
  query("parameters", "For an upload: the task's, as JSON."),
];

const LINES = { description: "The lines.", content: { "application/jsonl": { schema: string } } };

/** Files whose rows are answered later. */
export function batchPaths() {
  const tag = "Batches";
  const either = { anyOf: [ref("Batch"), ref("OpenAIBatch")] };
  const answer = answers(either);
  const asked = json({ anyOf: [schemaOf(batchRequest), schemaOf(openaiBatchRequest)] });
  const error = { schema: "BatchProblem", mediaType: "application/problem+json" };
  const file = { schema: string };
  const body = {
    ...asked,
    "text/csv": file,
    "application/jsonl": file,
    "application/vnd.apache.parquet": { schema: { type: "string", format: "binary" } },
  };
  const description =
    "The body is the file, and the query says by which model; or the body is JSON and names an object of the store, or with `input_file_id` a file of requests, as OpenAI has it. `X-Nearcast-Webhook` and `X-Nearcast-Webhook-Events` ask for a webhook.";
  const shared = { tag, error };
  return pathsOf({
    "get /v1/batches": {
      ...shared,
      summary: "Your batches, the newest first",
      parameters: PAGE,
      answer: answers(pageOf(either)),
    },
    "post /v1/batches": {
      ...shared,
      summary: "Answers each row of a file, later",
      description: `${description} \`Idempotency-Key\` is the batch's id.`,
      parameters: UPLOAD,
      body,
      answer,
      status: 202,
    },
    "put /v1/batches/{id}": {
      ...shared,
      summary: "The same, made once",
      description,
      parameters: [ID, ...UPLOAD],
      body,
      answer,
      status: 202,
    },
    "get /v1/batches/{id}": { ...shared, summary: "A batch of yours", parameters: [ID], answer },
    "delete /v1/batches/{id}": {
      ...shared,
      summary: "Ends the batch, and removes all that is stored of it",
      parameters: [ID],
      answer,
    },
    "post /v1/batches/{id}/cancel": {
      ...shared,
      summary: "Ends the batch",
      parameters: [ID],
      answer,
    },
    "get /v1/batches/{id}/output": {
      ...shared,
      summary: "The outputs in the order of the rows, as JSONL or with `format=csv` as CSV",
      description:
        "A line is the output of its row, or `null`. Where the version looks features up, the line has a member `features` besides: what the answer for that input alone has. An output that is no object is the member `output` then. In CSV these are the columns `features.<name>.status`, `.reason` and `.ageSeconds`.",
      parameters: [ID, query("format", "`jsonl` or `csv`")],
      answer: LINES,
    },
    "get /v1/batches/{id}/errors": {
      ...shared,
      summary: "The errors of rows, with their lines",
      parameters: [ID],
      answer: LINES,
    },
  });
}
