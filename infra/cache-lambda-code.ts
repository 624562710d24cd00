// Run by build-lambda.ts as a process of its own: `node infra/cache-lambda-code.ts <package folder>` asks the
// package for a prediction of every shipped model and writes bundle.cjs.cache, the code that V8 compiled for
// that. The models come through the SDK from a local S3, as they do on Lambda.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Script } from "node:vm";
import { createTasks } from "../functions/tasks/tasks.ts";
import { toEvent } from "../test/harness/lambda-http.ts";
import { startS3 } from "../test/harness/s3-server.ts";
import { packageFiles } from "./package-files.ts";

interface Package {
  handler: (event: unknown, context: unknown) => Promise<{ statusCode: number; body: string }>;
  script: Script;
}

const BUCKET = "models";
const models = join(import.meta.dirname, "../models");
const folder = resolve(process.argv[2] ?? "");

const s3 = await startS3({ buckets: [BUCKET] });
const keys = await packageFiles(models);
for (const key of keys) s3.put(BUCKET, key, await readFile(join(models, key)));
const temporary = await mkdtemp(join(tmpdir(), "nearcast-build-"));
Object.assign(process.env, {
  STORE: `s3://${BUCKET}`,
  S3_ENDPOINT: s3.endpoint,
  S3_FORCE_PATH_STYLE: "true",
  AUTH: "none",
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "build",
  AWS_SECRET_ACCESS_KEY: "build",
  CACHE_DIR: temporary,
});
try {
  const { handler, script } = (await import(join(folder, "index.mjs"))) as Package;
  for (const key of keys.filter((key) => key.endsWith("/model.json"))) {
    const { name, version, examples } = createTasks().parseManifest(
      await readFile(join(models, key), "utf8"),
    );
    const request = new Request(
      `https://build.invalid/v1/models/${name}/versions/${version}/predict`,
      {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ inputs: examples[0]?.input }),
      },
    );
    const { statusCode, body } = await handler(await toEvent(request), {});
    if (statusCode !== 200) throw new Error(`${name} answered ${statusCode}: ${body}`);
  }
  await writeFile(join(folder, "bundle.cjs.cache"), script.createCachedData());
} finally {
  await s3.close();
  await rm(temporary, { recursive: true, force: true });
}
