import type { R2Bucket } from "@cloudflare/workers-types";
import type { StoreParts } from "../../model/store.ts";

/** Objects of R2 in parts. Whether the key has an object is looked at just before the end: R2 has no condition for that. */
export function r2Parts(bucket: R2Bucket, prefix: string): StoreParts {
  const upload = (key: string, id: string) => bucket.resumeMultipartUpload(prefix + key, id);
  return {
    begin: async (key) => (await bucket.createMultipartUpload(prefix + key)).uploadId,
    put: async (key, id, part, bytes) => (await upload(key, id).uploadPart(part + 1, bytes)).etag,
    async end(key, id, tags) {
      const isTaken = (await bucket.head(prefix + key)) !== null;
      if (isTaken) await upload(key, id).abort();
      else
        await upload(key, id).complete(tags.map((etag, part) => ({ partNumber: part + 1, etag })));
      return !isTaken;
    },
    drop: async (key, id) => upload(key, id).abort(),
  };
}
