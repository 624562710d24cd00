import { onTestFinished } from "vitest";
import { startS3 } from "../../cli/local/s3-server.ts";
import { addLines, s3Environment, temporaryFolder } from "./nearcast.ts";

export const STORE = "s3://models/prefix";

/** An empty store, two versions of `line`, and the arguments that push one of them. */
export async function publishing() {
  const s3 = await startS3({ buckets: ["models"] });
  onTestFinished(() => s3.close());
  const models = await temporaryFolder();
  await addLines(models);
  const env = s3Environment(s3);
  // The version's other runtimes make no difference here.
  const native = ["--runtime", "native"];
  const push = (version: string) => ["push", version, "--models", models, "--to", STORE, ...native];
  return { s3, models, env, push };
}
