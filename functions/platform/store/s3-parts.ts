import type { StoreParts } from "../../model/store.ts";
import type { boundResponses } from "../bounded-responses.ts";
import { asRefusal } from "./s3-refusal.ts";

type Sdk = typeof import("./s3-sdk.ts");

interface Place {
  started: Promise<{
    sdk: Sdk;
    client: ReturnType<typeof boundResponses<InstanceType<Sdk["S3Client"]>>>;
  }>;
  bucket: string;
  prefix: string;
}

/** Objects of S3 in parts, as multipart uploads. A tag has the part's ETag and, behind a space, its checksum. */
export function s3Parts({ started, bucket, prefix }: Place): StoreParts {
  const at = (key: string) => ({ Bucket: bucket, Key: prefix + key });
  const sent = async <T>(send: (place: Awaited<Place["started"]>) => Promise<T>): Promise<T> => {
    const place = await started;
    return send(place).catch((error: unknown) => {
      throw asRefusal(error);
    });
  };
  const drop: StoreParts["drop"] = (key, id) =>
    sent(async ({ sdk, client }) => {
      const command = new sdk.AbortMultipartUploadCommand({ ...at(key), UploadId: id });
      await client.send(command).catch((error: unknown) => {
        if (statusOf(error) !== 404) throw error;
      });
    });
  return {
    begin: (key) =>
      sent(async ({ sdk, client }) => {
        const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand(at(key)));
        if (!UploadId) throw new Error(`S3 began no upload for ${key}`);
        return UploadId;
      }),
    put: (key, id, part, bytes) =>
      sent(async ({ sdk, client }) => {
        const { ETag = "", ChecksumCRC32 = "" } = await client.send(
          new sdk.UploadPartCommand({
            ...at(key),
            UploadId: id,
            PartNumber: part + 1,
            Body: bytes,
          }),
        );
        return `${ETag} ${ChecksumCRC32}`.trim();
      }),
    end: (key, id, tags) =>
      sent(async ({ sdk, client }) => {
        const Parts = tags.map((tag, part) => {
          const [ETag, ChecksumCRC32] = tag.split(" ");
          return { ETag, PartNumber: part + 1, ...(ChecksumCRC32 && { ChecksumCRC32 }) };
        });
        const command = new sdk.CompleteMultipartUploadCommand({
          ...at(key),
          UploadId: id,
          MultipartUpload: { Parts },
          IfNoneMatch: "*",
        });
        try {
          await client.send(command);
          return true;
        } catch (error) {
          if (statusOf(error) !== 412) throw error;
          await drop(key, id);
          return false;
        }
      }),
    drop,
  };
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}
