import type { S3Client } from "@aws-sdk/client-s3";
import type { StoreParts } from "../../model/store.ts";
import { asRefusal } from "./s3-refusal.ts";

const loadSdk = () => import("./s3-sdk.ts");
type Sdk = Awaited<ReturnType<typeof loadSdk>>;

interface Place {
  started: Promise<{ client: S3Client }>;
  bucket: string;
  prefix: string;
}

/** Objects of S3 in parts, as multipart uploads. A tag has the part's ETag and, behind a space, its checksum. */
export function s3Parts({ started, bucket, prefix }: Place): StoreParts {
  const at = (key: string) => ({ Bucket: bucket, Key: prefix + key });
  async function sent<T>(send: (client: S3Client, sdk: Sdk) => Promise<T>): Promise<T> {
    const { client } = await started;
    try {
      return await send(client, await loadSdk());
    } catch (error) {
      throw asRefusal(error);
    }
  }
  const drop: StoreParts["drop"] = (key, id) =>
    sent(async (client, sdk) => {
      const command = new sdk.AbortMultipartUploadCommand({ ...at(key), UploadId: id });
      await client.send(command).catch((error: unknown) => {
        if (statusOf(error) !== 404) throw error;
      });
    });
  return {
    begin: (key) =>
      sent(async (client, sdk) => {
        const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand(at(key)));
        if (!UploadId) throw new Error(`S3 began no upload for ${key}`);
        return UploadId;
      }),
    put: (key, id, part, bytes) =>
      sent(async (client, sdk) => {
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
      sent(async (client, sdk) => {
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
