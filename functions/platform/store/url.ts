/** `scheme://bucket/prefix` in parts; the prefix is empty or ends in `/`. */
export function parseStoreUrl(text: string): { protocol: string; bucket: string; prefix: string } {
  const [, protocol, bucket, path] = /^(\w+:)\/\/([^/]+)\/*(.*?)\/*$/.exec(text) ?? [];
  if (!protocol || !bucket)
    throw new Error(`STORE ${text} is not of the form scheme://bucket/prefix`);
  return { protocol, bucket, prefix: path ? `${path}/` : "" };
}
