import ipaddr from "ipaddr.js";

/** Azure answers it on each machine, though the range is public. */
const WIRE_SERVER = "168.63.129.16";
/** All addresses of the internet that are in use (IANA's global unicast). */
const GLOBAL = ipaddr.IPv6.parseCIDR("2000::/3");

/**
 * Whether anyone on the internet has this address. False for private, loopback, link-local and shared addresses, for those
 * of metadata services, and for IPv6 addresses that stand for one of IPv4.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== "unicast") return false;
  return parsed instanceof ipaddr.IPv6 ? parsed.match(GLOBAL) : parsed.toString() !== WIRE_SERVER;
}

export function isLoopbackAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.parse(address).range() === "loopback";
}
