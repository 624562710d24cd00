import { NotAnswered, WEBHOOK_TIMEOUT_MS, type WebhookPort } from "../webhooks/post.ts";

/** Sends webhooks from Workers, which reach nothing but the internet. */
export const webhookFetch: WebhookPort = {
  async post({ url, headers, body }) {
    const signal = AbortSignal.timeout(WEBHOOK_TIMEOUT_MS);
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers,
        body,
        redirect: "manual",
        signal,
      });
      await answer.body?.cancel();
      return { status: answer.status, retryAfter: answer.headers.get("retry-after") ?? undefined };
    } catch {
      const late = `it did not answer within ${WEBHOOK_TIMEOUT_MS / 1000} s`;
      throw new NotAnswered(signal.aborted ? late : "it cannot be reached");
    }
  },
};
