import { join } from "node:path";
import { ARCHITECTURES } from "../build/architectures.ts";
import { buildLambdaFolders } from "../build/lambda.ts";
import { findEntry } from "../entry.ts";
import { invokeWith, startEventSource } from "../local/event-source.ts";
import { answerByFetch } from "../local/answer-by-fetch.ts";
import { startFilledS3 } from "../local/filled-s3.ts";
import { startLambda } from "../local/lambda.ts";
import { startSqs } from "../local/sqs-server.ts";
import type { DevOptions, Platform } from "./backend.ts";

/** As serverless.yml has it. */
const JOBS_TIMEOUT_MS = 120_000;
/** How soon a job begins that nothing goes before. */
const LOOK_MS = 200;

/**
 * Runs the Lambda package under the runtime interface client, with the models in a local S3, and a second time for jobs,
 * behind a local SQS. Each start begins with no jobs.
 */
export async function lambdaPlatform({ models, entry }: DevOptions): Promise<Platform> {
  const file = await findEntry("lambda", entry);
  const architecture = ARCHITECTURES.find((name) => name === process.arch);
  if (architecture === undefined || process.platform !== "linux")
    throw new Error(
      `The Lambda package runs on Linux on ${ARCHITECTURES.join(" or ")}, this is ${process.platform} on ${process.arch}. Without --lambda the same models are served on Node.`,
    );
  let builds = 0;
  let directory = "";
  let sources: readonly string[] = [file];
  return {
    name: "Lambda",
    sources: () => sources,
    async build() {
      const output = join("dist/dev", `lambda-${builds % 2}`);
      const architectures = [architecture];
      const [made] = await buildLambdaFolders({ entry: file, output, models, architectures });
      if (!made) return;
      sources = made.sources;
      builds += 1;
      directory = made.folder;
    },
    async start() {
      const s3 = await startFilledS3(models);
      const sqs = await startSqs({ visibilitySeconds: JOBS_TIMEOUT_MS / 1000 });
      const options = {
        directory: join(process.cwd(), directory),
        handler: "index.handler",
        env: { ...s3.environment, ...sqs.env, AUTH: "none", RELEASE_TTL_SECONDS: "0" },
        onOutput: (text: string) => process.stderr.write(text),
      };
      const lambda = await startLambda(options);
      // Its process starts with the first job.
      const jobs = await startLambda({ ...options, timeoutMs: JOBS_TIMEOUT_MS });
      const source = startEventSource({
        queues: [sqs.url("jobs"), sqs.url("dead-jobs")],
        invoke: (event) => invokeWith(jobs, event),
        idleMs: LOOK_MS,
      });
      return {
        answer: (request, response) => void answerByFetch(lambda.fetch, request, response),
        async stop() {
          // An event that is handled ends with its function.
          await Promise.all([source.stop(), lambda.stop(), jobs.stop()]);
          await Promise.all([s3.close(), sqs.close()]);
        },
      };
    },
  };
}
