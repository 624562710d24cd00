import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { filesOfModels } from "./models.ts";
import { startS3 } from "./s3-server.ts";

const BUCKET = "models";

export interface FilledS3 {
  /** Its keys after the last fill. */
  keys: readonly string[];
  /** The environment variables with which a function reads it. */
  environment: Record<string, string>;
  close: () => Promise<void>;
}

/** Starts a local S3 with the files of a models folder. */
export async function startFilledS3(models: string): Promise<FilledS3> {
  const s3 = await startS3({ buckets: [BUCKET] });
  const keys = await filesOfModels(models);
  for (const key of keys) s3.put(BUCKET, key, await readFile(join(models, key)));
  return {
    keys,
    environment: {
      STORE: `s3://${BUCKET}`,
      S3_ENDPOINT: s3.endpoint,
      S3_FORCE_PATH_STYLE: "true",
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "local",
      AWS_SECRET_ACCESS_KEY: "local",
    },
    close: s3.close,
  };
}
