// Runs in workerd between the application's R2 binding and the bucket. Each operation first asks the test
// process what to do, which also counts it; R2's own protocol is a JSON prefix and then the value.
export default {
  async fetch(request, env) {
    const prefix = request.headers.get("cf-r2-metadata-size");
    const body = request.body === null ? null : await request.arrayBuffer();
    const text =
      request.headers.get("cf-r2-request") ??
      new TextDecoder().decode(body.slice(0, Number(prefix)));
    const { method, object = "" } = JSON.parse(text);
    const query = new URLSearchParams({ method, key: object });
    const behaviour = await (await env.CONTROL.fetch(`http://control/?${query}`)).text();
    if (behaviour === "down" || behaviour === "unavailable")
      return failure(500, 10001, "We encountered an internal error. Please try again.");
    if (behaviour === "forbidden") return failure(403, 10003, "Forbidden");

    const response = await env.BUCKET_TRANSPORT.fetch(request.url, {
      method: request.method,
      headers: request.headers,
      body,
    });
    if (
      method !== "get" ||
      !response.ok ||
      !["garbage", "truncate", "slow-body"].includes(behaviour)
    )
      return response;
    const bytes = new Uint8Array(await response.arrayBuffer());
    const size = Number(response.headers.get("cf-r2-metadata-size"));
    const metadata = JSON.parse(new TextDecoder().decode(bytes.subarray(0, size)));
    const value = bytes.subarray(size);
    if (behaviour === "slow-body") return half(bytes, size + (value.length >> 1), response, env);
    if (behaviour === "garbage")
      for (let at = 0; at < value.length; at += 65_536)
        crypto.getRandomValues(value.subarray(at, at + 65_536));
    return damaged(
      metadata,
      behaviour === "truncate" ? value.subarray(0, value.length >> 1) : value,
    );
  },
};

function failure(status, v4code, message) {
  return new Response(message, {
    status,
    headers: { "cf-r2-error": JSON.stringify({ version: 0, v4code, message }) },
  });
}

async function damaged(metadata, value) {
  const digest = new Uint8Array(await crypto.subtle.digest("MD5", value));
  const etag = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const range = metadata.range && { range: { offset: "0", length: String(value.length) } };
  const prefix = new TextEncoder().encode(
    JSON.stringify({ ...metadata, ...range, etag, size: String(value.length), checksums: {} }),
  );
  const body = await new Blob([prefix, value]).arrayBuffer();
  return new Response(body, {
    headers: { "cf-r2-metadata-size": String(prefix.length), "content-type": "application/json" },
  });
}

function half(bytes, end, response, env) {
  const { readable, writable } = new FixedLengthStream(bytes.length);
  const send = async () => {
    const writer = writable.getWriter();
    await writer.write(bytes.subarray(0, end));
    await env.CONTROL.fetch("http://control/never");
  };
  send().catch(() => undefined);
  return new Response(readable, { headers: response.headers });
}
