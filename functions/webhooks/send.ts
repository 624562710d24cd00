import { VERSION } from "../version.ts";
import { NotAnswered, type WebhookAnswer, type WebhookPort } from "./post.ts";
import { keyOf } from "./secrets.ts";

/** A webhook's message. */
export interface Message {
  url: string;
  /** The same at each try: a receiver knows duplicates by it. */
  id: string;
  /** JSON. */
  body: string;
  /** Each of them signs. */
  secrets: readonly string[];
}

/** What became of one try. `gone`: the receiver wants no more of them. */
export type Sent =
  | { outcome: "delivered" }
  | { outcome: "failed"; why: string; retryAfterSeconds: number }
  | { outcome: "gone"; why: string };

const GONE = 410;

/** Sends a message once, as Standard Webhooks 1.0.0 has it. Never rejects. */
export async function sendWebhook(
  post: WebhookPort["post"],
  { url, id, body, secrets }: Message,
): Promise<Sent> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  let answer: WebhookAnswer;
  try {
    const signature = await signaturesOf(secrets, `${id}.${timestamp}.${body}`);
    const headers = {
      "content-type": "application/json",
      "user-agent": `nearcast/${VERSION}`,
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      ...(signature && { "webhook-signature": signature }),
    };
    answer = await post({ url: new URL(url), headers, body });
  } catch (error) {
    const why = error instanceof NotAnswered ? error.message : "it could not be sent";
    return { outcome: "failed", why, retryAfterSeconds: 0 };
  }
  const { status, retryAfter } = answer;
  const why = `it answered ${status}`;
  if (status >= 200 && status < 300) return { outcome: "delivered" };
  if (status === GONE) return { outcome: "gone", why };
  return { outcome: "failed", why, retryAfterSeconds: secondsOf(retryAfter) };
}

/** Several signatures, while a new secret replaces an old one. */
async function signaturesOf(secrets: readonly string[], text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const all = secrets.map(async (secret) => {
    const key = await crypto.subtle.importKey("raw", keyOf(secret), hmac, false, ["sign"]);
    const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes));
    return `v1,${btoa(String.fromCharCode(...signature))}`;
  });
  return (await Promise.all(all)).join(" ");
}

/** The seconds of a `Retry-After` (RFC 9110, section 10.2.3). 0 where it says none. */
function secondsOf(retryAfter = ""): number {
  const seconds = /^\d+$/.test(retryAfter)
    ? Number(retryAfter)
    : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : 0;
}
