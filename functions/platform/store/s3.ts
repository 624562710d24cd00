import type { S3ServiceException } from "@aws-sdk/client-s3";
import { addAbortSignal, type Readable } from "node:stream";
import { MAX_UNTOLD_BYTES, type PutCondition, type Store } from "../../model/store.ts";
import { readAtMost } from "../../read-at-most.ts";
import { boundResponses } from "../bounded-responses.ts";
import { s3Parts } from "./s3-parts.ts";
import { asRefusal, isMissingBucket } from "./s3-refusal.ts";

export interface S3Options {
  bucket: string;
  /** Empty, or ends in `/`. */
  prefix: string;
  endpoint: string | undefined;
  forcePathStyle: boolean;
  /** From the environment when absent. */
  region?: string;
}

/** A bucket behind the S3 API. The import of the SDK begins at once, while the rest starts. */
export function createS3Store(options: S3Options): Store {
  const { bucket, prefix, endpoint, forcePathStyle, region } = options;
  const started = start();
  // The first call of the store gets the error.
  started.catch(() => undefined);

  async function start() {
    const sdk = await import("./s3-sdk.ts");
    const client = new sdk.S3Client({
      forcePathStyle,
      ...(endpoint && { endpoint }),
      ...(region && { region }),
    });
    return { sdk, client: boundResponses(client) };
  }

  const get: Store["get"] = async (key, options = {}) => {
    const { ifNoneMatch, signal, maxBytes = MAX_UNTOLD_BYTES } = options;
    const { sdk, client } = await started;
    const command = new sdk.GetObjectCommand({
      Bucket: bucket,
      Key: prefix + key,
      IfNoneMatch: ifNoneMatch,
    });
    try {
      const { Body, ETag } = await client.send(command, signal && { abortSignal: signal });
      if (!Body || !ETag) throw new Error(`S3 answered without a body or an ETag for ${key}`);
      const body = Body as Readable;
      if (signal) addAbortSignal(signal, body);
      return { bytes: await readAtMost(body, maxBytes, key), etag: ETag };
    } catch (error) {
      if (statusOf(error) === 304) return "not-modified";
      return absent(error);
    }
  };

  return {
    get,
    async head(key, { signal } = {}) {
      const { sdk, client } = await started;
      const command = new sdk.HeadObjectCommand({ Bucket: bucket, Key: prefix + key });
      try {
        const { ETag, ContentLength } = await client.send(
          command,
          signal && { abortSignal: signal },
        );
        return { etag: ETag ?? "", size: ContentLength ?? 0 };
      } catch (error) {
        const status = statusOf(error);
        if (status === undefined || status >= 500) throw asRefusal(error);
        // Only the answer to GET has a body that says what is missing, the key or the bucket. HEAD has none.
        const found = await get(key, signal && { signal });
        if (found === "not-modified") throw error;
        return found && { etag: found.etag, size: found.bytes.byteLength };
      }
    },
    async slice(key, start, end, { signal } = {}) {
      const { sdk, client } = await started;
      const command = new sdk.GetObjectCommand({
        Bucket: bucket,
        Key: prefix + key,
        Range: `bytes=${start}-${end - 1}`,
      });
      try {
        const { Body } = await client.send(command, signal && { abortSignal: signal });
        if (!Body) throw new Error(`S3 answered without a body for ${key}`);
        return await readAtMost(Body as Readable, end - start, key);
      } catch (error) {
        return absent(error);
      }
    },
    // Names that begin with a dot come before `/` in the order of the list, and all others after it.
    async list(below, { signal } = {}) {
      const { sdk, client } = await started;
      const keys: string[] = [];
      const pages = sdk.paginateListObjectsV2(
        { client },
        { Bucket: bucket, Prefix: prefix + below, StartAfter: `${prefix + below}/` },
        signal && { abortSignal: signal },
      );
      try {
        for await (const page of pages)
          for (const { Key } of page.Contents ?? []) if (Key) keys.push(Key.slice(prefix.length));
      } catch (error) {
        throw asRefusal(error);
      }
      return keys;
    },
    async put(key, bytes, condition) {
      const { sdk, client } = await started;
      const command = new sdk.PutObjectCommand({
        Bucket: bucket,
        Key: prefix + key,
        Body: bytes,
        ...(condition && conditionHeaders(condition)),
      });
      try {
        return (await client.send(command)).ETag;
      } catch (error) {
        // 412: the condition did not hold. 409: another conditional write was under way. 404: If-Match for an absent
        // key.
        const unmet = [404, 409, 412].includes(statusOf(error) ?? 0) && !isMissingBucket(error);
        if (condition && unmet) return undefined;
        throw asRefusal(error);
      }
    },
    inParts: s3Parts({ started, bucket, prefix }),
    async delete(key) {
      const { sdk, client } = await started;
      try {
        await client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: prefix + key }));
      } catch (error) {
        throw asRefusal(error);
      }
    },
  };
}

function conditionHeaders(condition: PutCondition) {
  return "ifMatch" in condition
    ? { IfMatch: condition.ifMatch }
    : { IfNoneMatch: condition.ifNoneMatch };
}

/** For an absent key. Anything else is rethrown. */
function absent(error: unknown): undefined {
  if (statusOf(error) === 404 && !isMissingBucket(error)) return undefined;
  throw asRefusal(error);
}

function statusOf(error: unknown): number | undefined {
  return (error as Partial<S3ServiceException>).$metadata?.httpStatusCode;
}
