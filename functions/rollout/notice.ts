import { isWebhook } from "../model/release-policy.ts";
import type { WebhookPort } from "../webhooks/post.ts";
import { sendWebhook } from "../webhooks/send.ts";

const ATTEMPTS = 2;

/**
 * Tells a webhook of a change, by POST with JSON, signed with each of the secrets. Rejects when it does not accept it at the
 * second attempt either.
 */
export async function sendNotice(
  post: WebhookPort["post"],
  url: string,
  /** Of the change: both attempts have it. */
  id: string,
  notice: object,
  secrets: readonly string[],
): Promise<void> {
  if (!isWebhook(url)) throw new Error("a webhook must be an https URL");
  const message = { url, id: `msg_${id}`, body: JSON.stringify(notice), secrets };
  for (let attempt = 1; ; attempt++) {
    const sent = await sendWebhook(post, message);
    if (sent.outcome === "delivered") return;
    if (sent.outcome === "gone" || attempt === ATTEMPTS) throw new Error(sent.why);
  }
}
