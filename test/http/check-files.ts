import { gunzipSync } from "node:zlib";
import { expect } from "vitest";

const PATH = "/docs/swagger-ui-bundle.js";

type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

/** Asks for a file of the page in every way. */
export async function checkFiles(fetch: Fetch): Promise<void> {
  const get = (headers: Record<string, string>, method = "GET") => fetch(PATH, { method, headers });
  const plain = await get({ "Accept-Encoding": "identity" });
  const text = await plain.text();
  expect([plain.status, plain.headers.get("content-encoding")]).toEqual([200, null]);
  expect(text.length).toBeGreaterThan(1_000_000);
  const zipped = await get({ "Accept-Encoding": "br, gzip" });
  expect(zipped.headers.get("content-encoding")).toBe("gzip");
  expect(zipped.headers.get("vary")).toBe("Accept-Encoding");
  const bytes = Buffer.from(await zipped.arrayBuffer());
  // Some clients of the tests decompress by themselves.
  const unzipped = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes;
  expect(unzipped.equals(Buffer.from(text))).toBe(true);
  const tags = [plain, zipped].map(({ headers }) => headers.get("etag") ?? "");
  expect(tags[0]).toMatch(/^"[^"]+"$/);
  expect(tags[1]).not.toBe(tags[0]);
  for (const [index, coding] of ["gzip;q=0", "gzip"].entries()) {
    const known = await get({
      "Accept-Encoding": coding,
      "If-None-Match": `"other", W/${tags[index]}`,
    });
    expect([known.status, await known.text()]).toEqual([304, ""]);
    expect(known.headers.get("etag")).toBe(tags[index]);
  }
  const changed = await get({ "If-None-Match": '"other"' });
  expect(changed.status).toBe(200);
  await changed.text();
  const head = await get({ "Accept-Encoding": "gzip" }, "HEAD");
  expect([head.status, await head.text()]).toEqual([200, ""]);
  expect(head.headers.get("etag")).toBe(tags[1]);
}
