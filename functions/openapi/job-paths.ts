import { answers, json, pathsOf } from "./operation.ts";

const string = { type: "string" };
const time = { type: "string", format: "date-time" };

/** The schema of a job, for `components`. */
export const JOB_SCHEMAS = {
  Job: {
    type: "object",
    required: ["id", "status", "model", "version", "digest", "created_at", "expires_at"],
    properties: {
      id: string,
      status: { enum: ["queued", "running", "succeeded", "failed", "canceled", "expired"] },
      model: string,
      version: {
        ...string,
        description: "The version that answers. It was decided when the job was made.",
      },
      digest: string,
      created_at: time,
      started_at: time,
      ended_at: time,
      expires_at: time,
      result: { ...string, description: "Where the answer is, once there is one." },
    },
  },
};

const ID = {
  name: "id",
  in: "path",
  required: true,
  description: "The client's own id, or the one that was made up.",
  schema: { type: "string", pattern: "^[\\w.~-]{1,128}$" },
};

/** Calls that are answered later. */
export function jobPaths() {
  const tag = "Jobs";
  const parameters = [ID];
  const answer = answers("Job");
  return pathsOf({
    "put /v1/jobs/{id}": {
      tag,
      summary: "A prediction that is answered later, made once",
      description:
        "Every predict and infer route makes a job too, with the header field `Prefer: respond-async`; `Prefer: respond-async, wait=10` waits for the answer first, and `Idempotency-Key` is the job's id.",
      parameters,
      body: json({
        type: "object",
        required: ["model", "inputs"],
        properties: { model: string, version: string, inputs: {}, parameters: { type: "object" } },
      }),
      answer,
      status: 202,
    },
    "get /v1/jobs/{id}": { tag, summary: "A job of yours", parameters, answer },
    "delete /v1/jobs/{id}": {
      tag,
      summary: "Ends the job, and removes all that is stored of it",
      parameters,
      answer,
    },
    "post /v1/jobs/{id}/cancel": { tag, summary: "Ends the job", parameters, answer },
    "get /v1/jobs/{id}/result": {
      tag,
      summary: "The answer of the call, with its own status; 409 while there is none",
      parameters,
    },
    "get /v1/jobs/{id}/events": {
      tag,
      summary: "Each status as a Server-Sent Event, from `Last-Event-ID` on",
      parameters,
      answer: { description: "The events.", content: { "text/event-stream": { schema: string } } },
    },
  });
}
