import { runAlone } from "../run-alone.ts";
import { describeProblems } from "./findings.ts";
import { prepareLambda, readService, useRegion } from "./lambda.ts";
import { stackOf } from "./lambda-stack.ts";
import { emptyBucket } from "./empty-bucket.ts";
import { environmentOf, nameVariable } from "./cloudflare.ts";
import { runTool, runWrangler } from "./run-tool.ts";
import type { Deployed } from "./types.ts";

export interface PreviewOptions {
  /** Names the preview, and on AWS its stage. */
  name: string;
  models: string;
  /** Names the new deployment, as its `DEPLOYMENT_ID`. */
  id: string;
  /** The module that exports the function's handler. */
  entry?: string;
  /** Arguments for wrangler or osls. */
  others: readonly string[];
}

/** Where a preview is, and the name that its answers have. */
export interface Preview {
  url: string;
  id: string | undefined;
}

/** Makes or updates a preview of the Worker, with a URL of its own. */
export async function previewCloudflare({ name, id, others }: PreviewOptions): Promise<Preview> {
  const { preview_urls } = await runWrangler(
    ["preview", "--name", name, environmentOf(undefined), ...others, ...nameVariable(id)],
    "preview",
  );
  const [url] = (preview_urls as string[] | undefined) ?? [];
  if (url === undefined) throw new Error("wrangler says no URL of the preview.");
  return { url: /^https?:/.test(url) ? url : `https://${url}`, id };
}

export function removeCloudflare({
  name,
  others,
}: Pick<PreviewOptions, "name" | "others">): Promise<void> {
  return runTool("wrangler", [
    "preview",
    "delete",
    "--name",
    name,
    "-y",
    environmentOf(undefined),
    ...others,
  ]);
}

/** Deploys a stage of its own, and fills its bucket with all models. */
export async function previewLambda({
  name,
  models,
  id,
  entry,
  others,
}: PreviewOptions): Promise<Preview> {
  const own = { models, id, entry, store: undefined, dryRun: false };
  const deployment = { ...own, stage: name, others };
  const { pushCommand } = await import("../commands/push.ts");
  const fill = async (bucket: string) =>
    runAlone(pushCommand, [
      "push",
      "--all",
      "--release",
      "--to",
      `s3://${bucket}`,
      "--models",
      models,
    ]);
  const stack = ["--stage", name, ...others];
  useRegion(await readService(stack));
  const before = await stackOf(stack);
  // What the stage releases is looked at before it is deployed again.
  if (before.bucket !== undefined) await fill(before.bucket);
  const { findings, run } = await prepareLambda(deployment);
  if (findings.problems.length > 0) throw new Error(describeProblems(findings));
  const deployed: Deployed[] = [];
  await run(deployed);
  const { bucket, url } = await stackOf(stack);
  if (bucket === undefined || url === undefined)
    throw new Error(`The stack of stage ${name} has no outputs ModelsBucket and ServiceUrl.`);
  if (before.bucket === undefined) await fill(bucket);
  return { url, id: deployed[0]?.id };
}

/** Removes the stage, with its bucket, which goes only when it is empty. */
export async function removeLambda({
  name,
  others,
}: Pick<PreviewOptions, "name" | "others">): Promise<void> {
  const stage = ["--stage", name, ...others];
  useRegion(await readService(stage));
  const { bucket } = await stackOf(stage);
  if (bucket !== undefined) await emptyBucket(bucket);
  await runTool("osls", ["remove", ...stage]);
}
