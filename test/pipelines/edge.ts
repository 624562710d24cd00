import { startS3OverR2, type S3OverR2 } from "../harness/s3-over-r2.ts";
import { startWorker, type WorkerHarness } from "../harness/worker.ts";
import { startCloudflareApi, type CloudflareApi } from "./cloudflare-api.ts";
import { runJob, type Outcome, type Run } from "./runner.ts";

/** Cloudflare for a pipeline: a Worker in workerd, R2's S3 API over its bucket, and the API that wrangler asks. */
export interface Edge {
  worker: WorkerHarness;
  r2: S3OverR2;
  cloudflare: CloudflareApi;
  stop: () => Promise<void>;
}

/**
 * @param directory The output of `wrangler deploy --dry-run --outdir`, which runs as every version.
 * @param nextVars What the next deployed version has. Going back to one gives it what it had.
 */
export async function startEdge(
  directory: string,
  nextVars: () => Record<string, string>,
): Promise<Edge> {
  const worker = await startWorker({
    directory,
    compatibilityDate: "2026-10-20",
    vars: { AUTH: "none", RELEASE_TTL_SECONDS: "1", ...nextVars() },
    store: "plain",
  });
  const r2 = await startS3OverR2(worker);
  const { url, restart } = worker;
  const versions = new Map<string, Record<string, string>>();
  let now = nextVars();
  const cloudflare = await startCloudflareApi({
    url,
    async onDeploy(version, vars) {
      if (!versions.has(version)) versions.set(version, { ...nextVars(), ...vars });
      now = versions.get(version) ?? {};
      await restart(now);
    },
    // It has the one Worker's place, and its bucket.
    onPreview: (vars) => restart({ ...now, ...vars }),
  });
  const stop = async () => {
    await cloudflare.stop();
    await r2.stop();
    await worker.stop();
  };
  return { worker, r2, cloudflare, stop };
}

/** Runs the job `cloudflare` of a workflow. */
export function runOnEdge(
  { worker, r2, cloudflare }: Edge,
  run: Pick<Run, "repository" | "workflow" | "context" | "installed">,
): Promise<Outcome> {
  return runJob({
    ...run,
    job: "cloudflare",
    context: {
      "vars.CLOUDFLARE_URL": worker.url,
      "vars.CLOUDFLARE_ACCOUNT_ID": "account",
      "secrets.CLOUDFLARE_API_TOKEN": "test",
      "secrets.R2_ACCESS_KEY_ID": "test",
      "secrets.R2_SECRET_ACCESS_KEY": "test",
      ...run.context,
    },
    env: { ...cloudflare.env, S3_ENDPOINT: r2.endpoint, NEARCAST_WAIT: "8s" },
  });
}
