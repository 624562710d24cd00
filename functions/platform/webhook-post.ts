import { lookup, type LookupAddress } from "node:dns";
import { request as httpRequest } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { isIP } from "node:net";
import { promisify } from "node:util";
import { isLoopback } from "../loopback.ts";
import {
  NotAnswered,
  WEBHOOK_TIMEOUT_MS,
  type WebhookAnswer,
  type WebhookPort,
  type WebhookRequest,
} from "../webhooks/post.ts";

class InsideNetwork extends NotAnswered {}

/** Finds the addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

const resolveName: Resolve = (hostname) => promisify(lookup)(hostname, { all: true });

/** Sends webhooks from Node. It connects to the very addresses that were checked: names can change in between. */
export function createWebhookPost(resolve: Resolve = resolveName): Required<WebhookPort> {
  /** Rejects with {@link InsideNetwork} where one of them is not of the internet. */
  async function addressesOf(hostname: string): Promise<readonly LookupAddress[]> {
    // Imported late: only deployments with webhooks pay for it.
    const { isLoopbackAddress, isPublicAddress } = await import("./public-address.ts");
    const bare = hostname.replace(/^\[(.*)\]$/, "$1");
    const family = isIP(bare);
    const found = family ? [{ address: bare, family }] : await resolve(bare);
    const isGood = isLoopback(hostname) ? isLoopbackAddress : isPublicAddress;
    if (found.length > 0 && found.every(({ address }) => isGood(address))) return found;
    throw new InsideNetwork("its host has an address inside the network");
  }

  return {
    async post(request) {
      const signal = AbortSignal.timeout(WEBHOOK_TIMEOUT_MS);
      const late = new Promise<never>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      });
      try {
        // Looking up a name cannot be ended.
        const addresses = await Promise.race([addressesOf(request.url.hostname), late]);
        return await send(request, addresses, signal);
      } catch (error) {
        throw error instanceof NotAnswered ? error : new NotAnswered(reasonOf(error));
      }
    },
    async isInside(hostname) {
      try {
        await addressesOf(hostname);
        return false;
      } catch (error) {
        return error instanceof InsideNetwork;
      }
    },
  };
}

function send(
  { url, headers, body }: WebhookRequest,
  addresses: readonly LookupAddress[],
  signal: AbortSignal,
): Promise<WebhookAnswer> {
  const options: RequestOptions = {
    method: "POST",
    headers: { ...headers, "content-length": Buffer.byteLength(body) },
    // A connection of its own: one that is open may lead to other addresses.
    agent: false,
    lookup: (_hostname, { all }, callback) => {
      const [{ address, family } = { address: "", family: 0 }] = addresses;
      if (all) callback(null, [...addresses]);
      else callback(null, address, family);
    },
    signal,
  };
  const begin = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const sent = begin(url, options, (response) => {
      const { statusCode: status = 0, headers: own } = response;
      resolve({ status, retryAfter: own["retry-after"] });
      // Nobody reads the body, however long it is.
      response.destroy();
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** In words, without addresses. */
function reasonOf(error: unknown): string {
  const { name, code } = error as NodeJS.ErrnoException;
  if (name === "TimeoutError" || name === "AbortError")
    return `it did not answer within ${WEBHOOK_TIMEOUT_MS / 1000} s`;
  return `it cannot be reached${code === undefined ? "" : `: ${code}`}`;
}
