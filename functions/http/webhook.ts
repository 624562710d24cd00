import * as z from "zod";
import { invalidInput } from "../errors.ts";
import { ENDS, type AskedWebhook, type End } from "../webhooks/webhook.ts";

/** The header fields that ask for a webhook, where the body is a dialect's. */
export const WEBHOOK = "X-Nearcast-Webhook";
const WEBHOOK_EVENTS = "X-Nearcast-Webhook-Events";

/** A webhook as a request names it. */
export type NamedWebhook = Omit<AskedWebhook, "location">;

/** `completed` is what clients of Replicate send. */
const EVENTS = new Map<unknown, readonly End[]>([
  ["completed", ENDS],
  ...ENDS.map((status): [string, End[]] => [status, [status]]),
]);

/** The members of a body that ask for a webhook. */
export const webhookMembers = {
  webhook: z.string().optional().describe("An https URL that is told of the end."),
  webhook_events_filter: z
    .array(z.enum(["completed", ...ENDS]))
    .min(1)
    .optional()
    .describe("The ends it is told of. `completed`, as when absent, is all."),
};

/** The webhook of the header fields. Undefined without them. Throws `invalid_input`. */
export function readWebhookFields(request: {
  header(name: string): string | undefined;
}): NamedWebhook | undefined {
  const events = request.header(WEBHOOK_EVENTS)?.split(",");
  return readWebhook(
    [WEBHOOK, request.header(WEBHOOK)],
    [WEBHOOK_EVENTS, events?.map((event) => event.trim())],
  );
}

/** The webhook of a body's members. Undefined without them. Throws `invalid_input`. */
export function readWebhookMembers(body: Record<string, unknown>): NamedWebhook | undefined {
  return readWebhook(
    ["webhook", body["webhook"]],
    ["webhook_events_filter", body["webhook_events_filter"]],
  );
}

function readWebhook(
  [from, url]: [name: string, url: unknown],
  [path, events]: [name: string, events: unknown],
): NamedWebhook | undefined {
  if (url === undefined && events === undefined) return undefined;
  if (typeof url !== "string") throw invalidInput([{ path: from, message: "must be a URL" }]);
  if (events === undefined) return { url, statuses: ENDS, from };
  const named = Array.isArray(events) ? events.map((event) => EVENTS.get(event)) : [];
  const statuses = new Set(named.flatMap((known) => known ?? []));
  if (named.length > 0 && !named.includes(undefined))
    return { url, statuses: ENDS.filter((status) => statuses.has(status)), from };
  const known = [...EVENTS.keys()].join(", ");
  throw invalidInput([{ path, message: `must be some of ${known}` }]);
}
