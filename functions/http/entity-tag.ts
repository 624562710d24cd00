/** Whether an `If-None-Match` (RFC 9110, section 13.1.2) names the tag. */
export function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const tags = new Set(header.split(",").map((tag) => tag.trim().replace(/^W\//, "")));
  return tags.has("*") || tags.has(etag.replace(/^W\//, ""));
}
