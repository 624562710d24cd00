import { parseStoreUrl } from "../../functions/platform/store/url.ts";
import { describeFailure } from "../failure.ts";
import { findingsAt, type Finding } from "./finding.ts";

const TIMEOUT_MS = 10_000;

/** Whether the bucket of `s3://bucket/prefix` is there, may be read, and is in the region that asks it. */
export async function checkBucket(url: string, region: string | undefined): Promise<Finding[]> {
  const { bucket } = parseStoreUrl(url);
  const { wrong, unwise } = findingsAt(url);
  const { HeadBucketCommand, S3Client } = await import("@aws-sdk/client-s3");
  const endpoint = process.env["S3_ENDPOINT"];
  const client = new S3Client({
    ...(endpoint && { endpoint }),
    forcePathStyle: process.env["S3_FORCE_PATH_STYLE"] === "true",
    followRegionRedirects: true,
    maxAttempts: 2,
  });
  try {
    const command = new HeadBucketCommand({ Bucket: bucket });
    const abortSignal = AbortSignal.timeout(TIMEOUT_MS);
    const { BucketRegion } = await client.send(command, { abortSignal });
    if (!region || !BucketRegion || BucketRegion === region) return [];
    return [
      unwise(
        `The bucket is in ${BucketRegion}, and asked from ${region}: each cold start fetches its model from afar.`,
        `Deploy to ${BucketRegion}, or push to a bucket in ${region}.`,
      ),
    ];
  } catch (error) {
    const missing = (error as Error).name === "NotFound";
    const why = missing ? "There is no such bucket." : describeFailure(error);
    return [
      wrong(
        `It cannot be read: ${why}`,
        missing
          ? "Make it, or correct its name."
          : "Correct its name, the credentials or S3_ENDPOINT.",
      ),
    ];
  } finally {
    client.destroy();
  }
}
