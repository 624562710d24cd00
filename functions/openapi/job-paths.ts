import * as z from "zod";
import { webhookMembers } from "../http/webhook.ts";
import { answers, json, pathsOf, ref } from "./operation.ts";
import { schemaOf } from "./schema.ts";

const string = { type: "string" };
const time = { type: "string", format: "date-time" };

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
      webhook: ref("Webhook"),
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

const WEBHOOK_MEMBERS = schemaOf(z.object(webhookMembers))["properties"] as object;

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
          ...WEBHOOK_MEMBERS,
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
