/** What is sent to a webhook. */
export interface WebhookRequest {
  url: URL;
  headers: Record<string, string>;
  body: string;
}

/** What a webhook answered. Nobody reads the body. */
export interface WebhookAnswer {
  status: number;
  retryAfter: string | undefined;
}

/** Why nothing was answered, in words for whoever asked for the webhook. */
export class NotAnswered extends Error {}

/** Longest time for one request, with everything. */
export const WEBHOOK_TIMEOUT_MS = 10_000;

/** How a platform sends webhooks. */
export interface WebhookPort {
  /**
   * POSTs once. Follows no redirect, and refuses a host whose addresses are inside the network, unless its name is that
   * of this machine. Rejects with {@link NotAnswered} after {@link WEBHOOK_TIMEOUT_MS} at the latest.
   */
  post: (request: WebhookRequest) => Promise<WebhookAnswer>;
  /**
   * Whether `post` would refuse the host now. False while its addresses cannot be found. Absent where there is no DNS,
   * and no way into a network.
   */
  isInside?: (hostname: string) => Promise<boolean>;
}
