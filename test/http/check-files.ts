import { gunzipSync } from "node:zlib";
import { expect } from "vitest";

const PATH = "/docs/swagger-ui-bundle.js";

type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

/** Asks for a file of the page in every way, compressed too. */
export async function checkFiles(fetch: Fetch): Promise<void> {
  const text = await checkTags(fetch, "identity");
  const tag = await tagOf(fetch, "identity");
  expect(await checkTags(fetch, "gzip")).toBe(text);
  expect(await tagOf(fetch, "gzip")).not.toBe(tag);
  const zipped = await fetch(PATH, { headers: { "Accept-Encoding": "br, gzip" } });
  expect(zipped.headers.get("content-encoding")).toBe("gzip");
  expect(zipped.headers.get("vary")).toBe("Accept-Encoding");
  await zipped.arrayBuffer();
}

/** Asks for a file of the page with and without its tag. Returns the file. */
async function checkTags(fetch: Fetch, coding: string): Promise<string> {
  const ask = (headers: Record<string, string>, method = "GET") =>
    fetch(PATH, { method, headers: { "Accept-Encoding": coding, ...headers } });
  const whole = await ask({});
  const tag = whole.headers.get("etag") ?? "";
  expect([whole.status, whole.headers.get("content-encoding") ?? "identity"]).toEqual([
    200,
    coding,
  ]);
  expect(tag).toMatch(/^"[^"]+"$/);
  const bytes = Buffer.from(await whole.arrayBuffer());
  // Some clients of the tests decompress by themselves.
  const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString();
  expect(text.length).toBeGreaterThan(1_000_000);
  const known = await ask({ "If-None-Match": `"other", W/${tag}` });
  expect([known.status, await known.text()]).toEqual([304, ""]);
  expect(known.headers.get("etag")).toBe(tag);
  const changed = await ask({ "If-None-Match": '"other"' });
  expect(changed.status).toBe(200);
  await changed.arrayBuffer();
  const head = await ask({}, "HEAD");
  expect([head.status, await head.text()]).toEqual([200, ""]);
  expect(head.headers.get("etag")).toBe(tag);
  return text;
}

async function tagOf(fetch: Fetch, coding: string): Promise<string | null> {
  const head = await fetch(PATH, { method: "HEAD", headers: { "Accept-Encoding": coding } });
  return head.headers.get("etag");
}
