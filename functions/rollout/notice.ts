import { isWebhook } from "../model/release-policy.ts";

const TIMEOUT_MS = 5000;
const ATTEMPTS = 2;

/**
 * Tells a webhook of a change, by POST with JSON. Rejects when it does not accept it at the second attempt either, each
 * within five seconds. Follows no redirect: it could lead into the network.
 */
export async function sendNotice(url: string, notice: object): Promise<void> {
  if (!isWebhook(url)) throw new Error("a webhook must be an https URL");
  for (let attempt = 1; ; attempt++)
    try {
      return await post(url, JSON.stringify(notice));
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
}

async function post(url: string, body: string): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body,
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`it answered ${response.status}`);
}
