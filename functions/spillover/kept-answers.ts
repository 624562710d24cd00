import { digest } from "../digest.ts";
import type { Platform } from "../platform/types.ts";
import { readEntry, writeEntry } from "../prediction-cache/entry.ts";
import type { RegionRequest } from "./region.ts";

/** An answer of a region, whole. Its header fields are those that the client gets. */
export interface KeptAnswer {
  headers: Record<string, string>;
  body: Uint8Array<ArrayBuffer>;
}

/** Larger answers are not kept, as with a deployment's own runs. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Fields that differ between requests for the same answer. */
const OF_ONE_REQUEST = new Set(["cache-control", "traceparent", "tracestate", "x-request-id"]);

/** Gives each byte a character, so that ASCII is found in bodies of any kind. */
const latin1 = new TextDecoder("latin1");

/** Keeps answers of regions for the same requests to the same artifact, whoever sends them. */
export function createKeptAnswers({ predictionCache }: Pick<Platform, "predictionCache">) {
  return {
    /** The key of a request: everything that decides the answer. */
    async keyOf({ method, path, search, headers, body, spilled }: RegionRequest): Promise<string> {
      const fields = Object.entries(headers).filter(([name]) => !OF_ONE_REQUEST.has(name));
      const sorted = fields.toSorted(([a], [b]) => (a < b ? -1 : 1));
      const { model, version, digest: artifact } = spilled;
      const asked = [model, version, artifact, method, path, search, sorted];
      return digest(new TextEncoder().encode(JSON.stringify([...asked, await digest(body)])));
    },
    async get(key: string): Promise<KeptAnswer | undefined> {
      const entry = await predictionCache.get(key);
      const { fields, body } = (entry && (await readEntry(entry))) ?? {};
      if (!fields || !body) return undefined;
      const text = new TextDecoder().decode(fields.data as Uint8Array);
      return {
        headers: JSON.parse(text) as Record<string, string>,
        body: body.data as Uint8Array<ArrayBuffer>,
      };
    },
    /**
     * Whether an answer may be kept. One that comes in pieces, or is long, is passed on as it arrives. So is one that was
     * compressed on its way: its length is not that of what is read.
     */
    takes({ status, headers }: Pick<Response, "status" | "headers">): boolean {
      const length = headers.get("content-length");
      if (status !== 200 || headers.has("content-encoding")) return false;
      return length !== null && Number(length) <= MAX_BYTES;
    },
    /** Keeps an answer for everybody: not one whose body names the request that it was made for. */
    async put(
      key: string,
      { headers, body }: KeptAnswer,
      { requestId, ttlSeconds }: { requestId: string; ttlSeconds: number },
    ): Promise<void> {
      if (latin1.decode(body).includes(requestId)) return;
      const fields = new TextEncoder().encode(JSON.stringify(headers));
      const entry = await writeEntry({ fields: bytesOf(fields), body: bytesOf(body) });
      await predictionCache.put(key, entry, ttlSeconds);
    },
  };
}

function bytesOf(data: Uint8Array) {
  return { datatype: "UINT8" as const, shape: [data.byteLength], data };
}
