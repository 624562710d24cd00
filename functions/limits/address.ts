const MAX_LENGTH = 64;

/**
 * The address that a limit counts. For IPv6 it is the /64: a household or machine gets a whole /64 and could use a new
 * address for each request.
 */
export function addressKey(given: string): string {
  // Some proxies append the client's port. It changes with every connection.
  const [, bracketed, ofPort] = /^\[(.*)\](?::\d+)?$|^([^:]*):\d+$/.exec(given) ?? [];
  const address = bracketed ?? ofPort ?? given;
  if (!address.includes(":")) return address.slice(0, MAX_LENGTH);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return mapped;
  const [head = "", tail] = address.toLowerCase().split("%", 1)[0]?.split("::") ?? [];
  const leading = head.split(":").filter(Boolean);
  const trailing = tail === undefined ? [] : tail.split(":").filter(Boolean);
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - leading.length - trailing.length);
  const groups = [...leading, ...Array.from({ length: zeros }, () => "0"), ...trailing];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::/64`.slice(0, MAX_LENGTH);
}

/**
 * The client's address behind `proxies` proxies. Each proxy appends the address that asked it to
 * `X-Forwarded-For`. Entries further left came from the client and can be anything. A request with fewer
 * entries did not pass through all proxies: its own address counts.
 */
export function forwardedAddress(
  peer: string,
  forwardedFor: string | undefined,
  proxies: number,
): string {
  if (proxies === 0 || forwardedFor === undefined) return peer;
  return forwardedFor.split(",").at(-proxies)?.trim() || peer;
}
