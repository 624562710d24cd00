import { answers, json, object, pathsOf, ref } from "./operation.ts";

const string = { type: "string" };
const time = { type: "string", format: "date-time" };

const ENDED = { enum: ["succeeded", "failed", "canceled", "expired"] };

/** The schemas of jobs, for `components`. */
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
      webhook: {
        type: "object",
        description: "Who is told of the end, and what became of it.",
        required: ["url", "events", "tries"],
        properties: {
          url: string,
          events: { type: "array", items: ENDED },
          tries: { type: "integer" },
          next_try_at: time,
          delivered_at: time,
          given_up_at: time,
          error: { ...string, description: "Why the last try failed." },
        },
      },
    },
  },
  JobEnded: object({
    type: { enum: ["job.succeeded", "job.failed", "job.canceled", "job.expired"] },
    timestamp: { ...time, description: "When it ended." },
    data: object({
      id: string,
      status: ENDED,
      model: string,
      version: string,
      location: { ...string, description: "Where the job is, as its client was told." },
    }),
  }),
};

/** What this service sends to the webhooks of jobs. */
export const JOB_WEBHOOKS = {
  jobEnded: {
    post: {
      operationId: "jobEnded",
      tags: ["Jobs"],
      summary: "A job has ended",
      description:
        "As Standard Webhooks 1.0.0 signs it. It is sent again until the answer is 2xx or 410, for about a day.",
      parameters: [
        signed("webhook-id", "The same at each try."),
        signed("webhook-timestamp", "Seconds since 1970, of this try."),
        signed("webhook-signature", "`v1,` and base64, one for each secret, separated by spaces."),
      ],
      requestBody: { required: true, content: json(ref("JobEnded")) },
      responses: { "2XX": { description: "Taken." } },
    },
  },
};

function signed(name: string, description: string) {
  return { name, in: "header", required: true, description, schema: string };
}

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
        "Every predict and infer route makes a job too, with the header field `Prefer: respond-async`; `Prefer: respond-async, wait=10` waits for the answer first, and `Idempotency-Key` is the job's id. There, `X-Nearcast-Webhook` and `X-Nearcast-Webhook-Events` ask for a webhook.",
      parameters,
      body: json({
        type: "object",
        required: ["model", "inputs"],
        properties: {
          model: string,
          version: string,
          inputs: {},
          parameters: { type: "object" },
          webhook: { ...string, description: "An https URL that is told when the job has ended." },
          webhook_events_filter: {
            type: "array",
            minItems: 1,
            items: { enum: ["completed", ...ENDED.enum] },
            description: "The ends it is told of. `completed`, as when absent, is all.",
          },
        },
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
