import { join } from "node:path";
import { ARCHITECTURES } from "../build/architectures.ts";
import { buildLambdaFolders } from "../build/lambda.ts";
import { findEntry } from "../entry.ts";
import { answerByFetch } from "../local/answer-by-fetch.ts";
import { startFilledS3 } from "../local/filled-s3.ts";
import { startLambda } from "../local/lambda.ts";
import type { DevOptions, Platform } from "./backend.ts";

/** Runs the Lambda package under the runtime interface client, with the models in a local S3. */
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
      const lambda = await startLambda({
        directory: join(process.cwd(), directory),
        handler: "index.handler",
        env: { ...s3.environment, AUTH: "none", RELEASE_TTL_SECONDS: "0" },
        onOutput: (text) => process.stderr.write(text),
      });
      return {
        answer: (request, response) => void answerByFetch(lambda.fetch, request, response),
        async stop() {
          await Promise.all([lambda.stop(), s3.close()]);
        },
      };
    },
  };
}
