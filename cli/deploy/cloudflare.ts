import { existsSync } from "node:fs";
import type { Room } from "../../functions/model/too-large.ts";
import { workerRoom } from "../spillover.ts";
import { readWorkerConfiguration, type WorkerConfiguration } from "../wrangler.ts";
import type { Findings } from "./findings.ts";
import { checkModels } from "./models.ts";
import { checkQueues } from "./queues.ts";
import { askTool, lastLine, runTool, runWrangler } from "./run-tool.ts";
import type { DeployOptions, Deployment } from "./types.ts";

/** Deploys the Worker that wrangler's configuration describes. */
export async function prepareCloudflare(options: DeployOptions): Promise<Deployment> {
  const { models, dryRun, stage, id } = options;
  const findings: Findings = { problems: [], notes: [] };
  const configuration = await readWorkerConfiguration(stage);
  const { main, bucket, vars } = configuration;
  if (main === undefined || !existsSync(main))
    findings.problems.push({
      what: `wrangler.toml's main, ${main ?? "which is not there"}, is no file.`,
      fix: 'Write main = "src/worker.ts", a module whose default export is createWorker().',
    });
  checkQueues(configuration.queues, findings);
  if (vars["AUTH"] === "none")
    findings.notes.push('AUTH = "none" in wrangler.toml lets everyone in.');
  await checkSecrets(configuration, options, findings);
  const store = options.store ?? `r2://${bucket.name}${bucket.prefix && `/${bucket.prefix}`}`;
  if (dryRun) findings.notes.push(`${store} was not looked at: a dry run asks nobody.`);
  const released = await checkModels(
    {
      models,
      store: dryRun ? undefined : store,
      runtime: "wasm",
      spillsAbove: spillsAbove(configuration),
    },
    findings,
  );
  return {
    findings,
    async run(deployed) {
      const deploy = ["deploy", environmentOf(stage), ...options.others];
      if (dryRun) {
        console.log(`A dry run bundles; wrangler ${deploy.join(" ")} would follow.`);
        await runTool("wrangler", [...deploy, "--dry-run", "--outdir", "dist/worker"]);
        return;
      }
      const before = await versionBefore(stage);
      const named = [...deploy, ...nameVariable(id)];
      const { targets } = await runWrangler(named, "deploy");
      const url = ((targets as string[] | undefined) ?? []).find((one) => one.startsWith("https:"));
      const why = ["--yes", "--message", "The smoke test failed"];
      const goBack = () =>
        runTool("wrangler", ["rollback", before ?? "", ...why, environmentOf(stage)]);
      deployed.push({ url, id, released, goBack: before === undefined ? undefined : goBack });
    },
  };
}

/** Wrangler's arguments that name a deployment. They come last: the option takes all words after it. */
export function nameVariable(id: string): string[] {
  return ["--var", `DEPLOYMENT_ID:${id}`];
}

/** The version that gets all requests. Undefined before the first deployment, and while two share them. */
export async function versionBefore(stage: string | undefined): Promise<string | undefined> {
  const args = ["deployments", "status", "--json", environmentOf(stage)];
  const text = await askTool("wrangler", args).catch((error: Error) => {
    if (isNoWorker(error)) return "{}";
    throw error;
  });
  const { versions = [] } = JSON.parse(text) as { versions?: { version_id: string }[] };
  return versions.length === 1 ? versions[0]?.version_id : undefined;
}

/** The room above which a version is answered by the region. Undefined where there is none. */
function spillsAbove({ vars }: Pick<WorkerConfiguration, "vars">): Room | undefined {
  const { SPILL_URL, SESSION_BUDGET_MB } = vars;
  if (!SPILL_URL) return undefined;
  return workerRoom(SESSION_BUDGET_MB === undefined ? undefined : Number(SESSION_BUDGET_MB));
}

interface Secret {
  name: string;
  /** What the Worker does without it. */
  without: string;
  /** The value to paste. */
  value: string;
}

const API_KEYS: Secret = {
  name: "API_KEYS",
  without: "and no JWT_ISSUER in [vars]: it would answer nothing but health",
  value: "npx nearcast key --name web, then paste [entry]",
};
const SPILL_SECRET: Secret = {
  name: "SPILL_SECRET",
  without: "which SPILL_URL needs: it would answer nothing",
  value: "paste the region's SPILL_SECRET",
};

/** The secrets without which a Worker with these variables does not answer. */
export function secretsOf({ vars }: Pick<WorkerConfiguration, "vars">): Secret[] {
  const hasCallers = vars["AUTH"] === "none" || Boolean(vars["JWT_ISSUER"]);
  const spills = Boolean(vars["SPILL_URL"]) && !vars["SPILL_SECRET"];
  return [...(hasCallers ? [] : [API_KEYS]), ...(spills ? [SPILL_SECRET] : [])];
}

/** Whether the deployed Worker has its secrets. A dry run asks nobody. */
export async function checkSecrets(
  configuration: Pick<WorkerConfiguration, "vars">,
  { dryRun, stage }: Pick<DeployOptions, "dryRun" | "stage">,
  findings: Findings,
): Promise<void> {
  const needed = secretsOf(configuration);
  if (needed.length === 0) return;
  const put = ({ name }: Secret) =>
    `npx wrangler secret put ${name}${stage === undefined ? "" : ` --env ${stage}`}`;
  if (dryRun) {
    for (const secret of needed)
      findings.notes.push(
        `The secret ${secret.name} was not looked for: a dry run asks nobody. To set it: ${put(secret)}`,
      );
    return;
  }
  let listed = "[]";
  try {
    const list = ["secret", "list", "--format", "json", environmentOf(stage)];
    listed = await askTool("wrangler", list);
  } catch (error) {
    if (!isNoWorker(error as Error)) {
      const names = needed.map(({ name }) => name).join(" and ");
      findings.problems.push({
        what: `Whether the secret ${names} is set is not known: ${lastLine((error as Error).message)}`,
        fix: "npx wrangler login, or CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID",
      });
      return;
    }
  }
  for (const secret of needed)
    if (!new RegExp(`"name":\\s*"${secret.name}"`).test(listed))
      findings.problems.push({
        what: `The Worker has no secret ${secret.name}, ${secret.without}.`,
        fix: `${secret.value} into: ${put(secret)}`,
      });
}

/** Before its first deployment there is no Worker, and no secret of it. */
function isNoWorker({ message }: Error): boolean {
  return /\b10007\b|does not exist|has no deployments/i.test(message);
}

/** Without a name it is said that the Worker outside of all environments is meant: wrangler warns otherwise. */
export function environmentOf(stage: string | undefined): string {
  return `--env=${stage ?? ""}`;
}
