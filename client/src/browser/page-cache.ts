import type { VersionFile } from "./release.ts";

// What is kept in the browser: files by digest and what was last known of the release, below the address of their model.
// Failures are as if nothing was kept: private windows and full disks have no cache.

/** The name of the page's Cache. `caches.delete("nearcast")` removes all that was kept. */
const NAME = "nearcast";
/** The most bytes that are kept, beside what the page uses. Files that were fetched first make room. */
const MOST_BYTES = 256 * 1024 * 1024;
/** What this page uses: the addresses of its models, and the runtime. */
const used = new Set<string>();

/** The bytes of a file. Any script of the page may have changed them. */
export async function keptBytes(
  of: string,
  file: VersionFile,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  used.add(of);
  const found = await match(urlOf(of, file.sha256));
  const bytes = found && new Uint8Array(await found.arrayBuffer());
  return bytes?.length === file.bytes ? bytes : undefined;
}

export async function keepBytes(
  of: string,
  { sha256 }: VersionFile,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  await put(urlOf(of, sha256), bytes, bytes.length);
  await inCache(makeRoom);
}

export async function keptDescription(of: string): Promise<object | undefined> {
  const found = await match(urlOf(of, RELEASE));
  return found && ((await found.json()) as object);
}

export async function keepDescription(of: string, description: object): Promise<void> {
  const text = JSON.stringify(description);
  await put(urlOf(of, RELEASE), text, text.length);
}

/** Removes files of the model that are not these. Without files, removes the description too. */
export async function keepOnly(of: string, files: readonly VersionFile[]): Promise<void> {
  const kept = new Set(files.map(({ sha256 }) => urlOf(of, sha256)));
  if (files.length > 0) kept.add(urlOf(of, RELEASE));
  await inCache(async (cache) => {
    for (const { url } of await cache.keys())
      if (url.startsWith(urlOf(of, "")) && !kept.has(url)) await cache.delete(url);
  });
}

const RELEASE = "release";

/** Keys of a Cache are URLs. This one is never fetched. */
function urlOf(of: string, what: string): string {
  return `https://nearcast.invalid/${encodeURIComponent(of)}/${what}`;
}

function match(url: string): Promise<Response | undefined> {
  return inCache((cache) => cache.match(url));
}

async function put(url: string, body: BodyInit, length: number): Promise<void> {
  const headers = { "Content-Length": String(length) };
  await inCache((cache) => cache.put(url, new Response(body, { headers })));
}

async function makeRoom(cache: Cache): Promise<void> {
  const usedUrls = Array.from(used, (of) => urlOf(of, ""));
  const sizes = new Map<string, number>();
  for (const { url } of await cache.keys()) {
    const found = await cache.match(url);
    sizes.set(url, Number(found?.headers.get("Content-Length")));
  }
  let total = 0;
  for (const size of sizes.values()) total += size;
  // Keys come in the order in which they were put.
  for (const [url, size] of sizes) {
    if (total <= MOST_BYTES) return;
    if (usedUrls.some((start) => url.startsWith(start))) continue;
    await cache.delete(url);
    total -= size;
  }
}

async function inCache<T>(work: (cache: Cache) => Promise<T>): Promise<T | undefined> {
  try {
    return await work(await caches.open(NAME));
  } catch {
    return undefined;
  }
}
