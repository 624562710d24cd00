import { DeleteObjectsCommand, ListObjectVersionsCommand, S3Client } from "@aws-sdk/client-s3";

/** Removes all versions of all objects of a bucket. */
export async function emptyBucket(bucket: string): Promise<void> {
  const client = new S3Client({
    ...(process.env["S3_ENDPOINT"] && { endpoint: process.env["S3_ENDPOINT"] }),
    forcePathStyle: process.env["S3_FORCE_PATH_STYLE"] === "true",
  });
  try {
    for (;;) {
      const page = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }));
      const Objects = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(
        ({ Key, VersionId }) => ({ Key, VersionId }),
      );
      if (Objects.length === 0) break;
      const Delete = { Objects, Quiet: true };
      const { Errors = [] } = await client.send(
        new DeleteObjectsCommand({ Bucket: bucket, Delete }),
      );
      if (Errors[0]) throw new Error(`${Errors[0].Key} of ${bucket}: ${Errors[0].Message}`);
    }
  } finally {
    client.destroy();
  }
}
