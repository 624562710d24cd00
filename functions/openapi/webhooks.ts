import { ENDS } from "../webhooks/webhook.ts";
import { json, object } from "./operation.ts";

const string = { type: "string" };
const time = { type: "string", format: "date-time" };
const END = { enum: ENDS };

/** The schema of a webhook as its client sees it, for `components`. */
export const WEBHOOK_SCHEMA = {
  Webhook: {
    type: "object",
    description: "Who is told of the end, and what became of it.",
    required: ["url", "events", "tries"],
    properties: {
      url: string,
      events: { type: "array", items: END },
      tries: { type: "integer" },
      next_try_at: time,
      delivered_at: time,
      given_up_at: time,
      error: { ...string, description: "Why the last try failed." },
    },
  },
};

/** What this service sends to webhooks: at the end of each kind of what is answered later. */
export function webhooksOf(kinds: readonly ("job" | "batch")[]) {
  return Object.fromEntries(kinds.map((kind) => [`${kind}Ended`, ended(kind)]));
}

function ended(kind: "job" | "batch") {
  const content = json(
    object({
      type: { enum: ENDS.map((end) => `${kind}.${end}`) },
      timestamp: { ...time, description: "When it ended." },
      data: object({
        id: string,
        status: END,
        model: string,
        version: string,
        location: { ...string, description: `Where the ${kind} is, as its client was told.` },
      }),
    }),
  );
  return {
    post: {
      operationId: `${kind}Ended`,
      tags: [kind === "job" ? "Jobs" : "Batches"],
      summary: `A ${kind} has ended`,
      description:
        "As Standard Webhooks 1.0.0 signs it. It is sent again until the answer is 2xx or 410, for about a day.",
      parameters: [
        signed("webhook-id", "The same at each try."),
        signed("webhook-timestamp", "Seconds since 1970, of this try."),
        signed("webhook-signature", "`v1,` and base64, one for each secret, separated by spaces."),
      ],
      requestBody: { required: true, content },
      responses: { "2XX": { description: "Taken." } },
    },
  };
}

function signed(name: string, description: string) {
  return { name, in: "header", required: true, description, schema: string };
}
