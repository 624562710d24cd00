import * as z from "zod";
import { isLoopback } from "../loopback.ts";

/** A host that webhooks may go to. */
export interface AllowedHost {
  /** As URLs have it. `*` is every name, and `*.example.com` every name below. */
  name: string;
  /** The scheme's own port when absent. */
  port?: number;
}

const HOST = /^(\[[^\]]+\]|[^\s:/?#@\\[\]]+)(?::(\d{1,5}))?$/;
const LONGEST_URL = 2048;

/** One of `WEBHOOK_HOSTS`. */
export const allowedHost = z.string().transform((text, context): AllowedHost => {
  const [, name = "", port] = HOST.exec(text) ?? [];
  if (name && URL.canParse(`https://${name}`) && /^(\*(\.|$))?[^*]*$/.test(name))
    return { name: new URL(`https://${name}`).hostname, ...(port && { port: Number(port) }) };
  context.addIssue({
    code: "custom",
    message: "must be hosts like hooks.example.com, *.example.com or localhost:9000",
  });
  return z.NEVER;
});

/** What is wrong with the URL of a webhook, in words that follow its name. Undefined when nothing is. */
export function refusalOf(text: string, hosts: readonly AllowedHost[]): string | undefined {
  if (hosts.length === 0) return "is not possible: this deployment allows no webhooks";
  if (text.length > LONGEST_URL) return `must have at most ${LONGEST_URL} characters`;
  if (!URL.canParse(text)) return "must be a URL";
  const url = new URL(text);
  if (url.username || url.password) return "must have no user and no password";
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname)))
    return "must be an https URL";
  if (hosts.some((host) => allows(host, url))) return undefined;
  return `must be of a host that this deployment allows, and ${url.host} is none`;
}

function allows({ name, port }: AllowedHost, { protocol, hostname, port: written }: URL): boolean {
  const usual = protocol === "https:" ? 443 : 80;
  if ((port ?? usual) !== (written === "" ? usual : Number(written))) return false;
  if (!name.startsWith("*")) return name === hostname;
  // Only a host that is listed by itself may be this machine, or an address.
  return !isLoopback(hostname) && !isAddress(hostname) && hostname.endsWith(name.slice(1));
}

/** URLs have addresses in one form: `0x7f.1` is `127.0.0.1` there. */
function isAddress(hostname: string): boolean {
  return hostname.startsWith("[") || /^\d+(\.\d+){3}$/.test(hostname);
}
