import { existsSync } from "node:fs";
import { isLoopback } from "../../functions/loopback.ts";
import { WORKER_ISOLATE } from "../../functions/platform/session-budgets.ts";
import type { Findings } from "../deploy/findings.ts";
import { checkSecrets, secretsOf } from "../deploy/cloudflare.ts";
import { checkParameter, findStack, readService } from "../deploy/lambda.ts";
import { isRemote } from "../deploy/models.ts";
import { describeFailure } from "../failure.ts";
import type { PlatformName } from "../init/project.ts";
import { isFolder, withStore } from "../store.ts";
import { readWorkerConfiguration, workerFile } from "../wrangler.ts";
import { checkBucket } from "./bucket.ts";
import { findingsAt, type Finding } from "./finding.ts";
import { checkStore } from "./models.ts";
import { checkSources } from "./sources.ts";
import {
  checkAddresses,
  checkDebugger,
  checkKeys,
  checkNode,
  checkPlaceholders,
  checkWhoMayAsk,
  readSettings,
  type Settings,
} from "./settings.ts";
import { checkStack } from "./stack.ts";
import { asFindings, checkWorker } from "./worker.ts";

export interface Examination {
  stage: string | undefined;
  models: string;
  /** In place of what the configuration names. */
  store: string | undefined;
}

/** The platforms whose files are in the working directory. Without any, Node, whose configuration is the environment. */
export function platformsHere(): PlatformName[] {
  const found: PlatformName[] = [];
  if (workerFile() !== undefined) found.push("cloudflare");
  if (existsSync("serverless.yml")) found.push("lambda");
  return found.length > 0 ? found : ["node"];
}

export function examine(platform: PlatformName, options: Examination): Promise<Finding[]> {
  return { cloudflare: examineWorker, lambda: examineStack, node: examineServer }[platform](
    options,
  );
}

async function examineServer({ store, models }: Examination): Promise<Finding[]> {
  const variables = { ...process.env } as Record<string, string>;
  const { HOST, TRUST_PROXY, API_KEYS } = variables;
  const settings: Settings = {
    where: "the environment",
    platform: "node",
    variables,
    isReached: Boolean((HOST && !isLoopback(HOST)) || (TRUST_PROXY && TRUST_PROXY !== "0")),
  };
  const url = store ?? (variables["STORE"] || models);
  const stored = await examineModels(settings, url, variables["AWS_REGION"]);
  return [
    ...checkSettings(settings),
    ...(API_KEYS && !API_KEYS.startsWith("ssm:")
      ? checkKeys(API_KEYS, settings.where, Date.now())
      : []),
    ...checkNode(process.versions.node, settings.where),
    ...stored.findings,
  ];
}

async function examineWorker({ stage, store, models }: Examination): Promise<Finding[]> {
  const file = workerFile() ?? "wrangler.toml";
  const where = stage === undefined ? file : `${file}, ${stage}`;
  const worker = await readWorkerConfiguration(stage).catch((error: Error) => error);
  if (worker instanceof Error)
    return [findingsAt(where).wrong(worker.message, "docs/deploying.md has the lines.")];
  const { bucket, vars } = worker;
  const { CLOUDFLARE_ACCOUNT_ID, AWS_ACCESS_KEY_ID, CLOUDFLARE_API_TOKEN } = process.env;
  // Secrets are not in the file.
  const spillSecret = vars["SPILL_URL"] ? { SPILL_SECRET: "x".repeat(32) } : {};
  const variables = { API_KEYS: "secret", ...spillSecret, ...texts(vars) };
  const settings: Settings = { where, platform: "cloudflare", variables, isReached: true };
  const secret: Findings = { problems: [], notes: [] };
  if (CLOUDFLARE_API_TOKEN !== undefined)
    await checkSecrets(worker, { dryRun: false, stage }, secret);
  else
    for (const { name } of secretsOf(worker))
      secret.notes.push(`The secret ${name} was not looked for: CLOUDFLARE_API_TOKEN is not set.`);
  const known = CLOUDFLARE_ACCOUNT_ID && AWS_ACCESS_KEY_ID;
  const url = `r2://${bucket.name}${bucket.prefix && `/${bucket.prefix}`}`;
  const stored = await examineModels(settings, store ?? (known ? url : models), undefined);
  return [
    ...checkSettings(settings),
    ...checkPlaceholders({ bucket_name: bucket.name, ...vars }, where),
    ...asFindings(where, secret),
    ...checkWorker(worker, { where, isWatched: stored.isWatched, now: Date.now() }),
    ...((store ?? known) ? [] : [findingsAt(where).note(unseen(url, models))]),
    ...stored.findings,
  ];
}

async function examineStack({ stage, store, models }: Examination): Promise<Finding[]> {
  const where = stage === undefined ? "serverless.yml" : `serverless.yml, ${stage}`;
  const others = stage === undefined ? [] : ["--stage", stage];
  const service = await readService(others).catch((error: Error) => error);
  if (service instanceof Error)
    return [findingsAt(where).wrong(service.message, "npx osls print says where.")];
  const { environment = {}, region } = service.provider;
  // The keys and the bucket are where the stack is, whatever the environment says.
  if (region) process.env["AWS_REGION"] = region;
  const variables = texts(environment);
  const settings: Settings = { where, platform: "lambda", variables, isReached: true };
  const { AWS_PROFILE, AWS_ACCESS_KEY_ID } = process.env;
  const known = Boolean(AWS_PROFILE || AWS_ACCESS_KEY_ID);
  const keys: Findings = { problems: [], notes: [] };
  const { API_KEYS } = variables;
  const isParameter = API_KEYS?.startsWith("ssm:") === true;
  if (isParameter && known) await checkParameter(API_KEYS, false, keys);
  else if (isParameter) keys.notes.push(`${API_KEYS} was not looked at: there are no credentials.`);
  const bucket = isRemote(environment["STORE"])
    ? environment["STORE"]
    : known && store === undefined
      ? await findStack(others, keys).then((stack) => stack?.bucket && `s3://${stack.bucket}`)
      : undefined;
  const stored = await examineModels(settings, store ?? bucket ?? models, region);
  return [
    ...checkSettings(settings),
    ...checkPlaceholders(environment, where),
    ...(API_KEYS && !isParameter ? checkKeys(API_KEYS, where, Date.now()) : []),
    ...asFindings(where, keys),
    ...checkStack(service, { where, isWatched: stored.isWatched, budgetMb: stored.budgetMb }),
    ...((store ?? bucket) ? [] : [findingsAt(where).note(unseen("The bucket", models))]),
    ...stored.findings,
  ];
}

function checkSettings(settings: Settings): Finding[] {
  const config = readSettings(settings);
  return [
    ...(Array.isArray(config) ? config : []),
    ...checkWhoMayAsk(settings),
    ...checkAddresses(settings),
    ...checkDebugger(settings),
  ];
}

const USUAL_BUDGET_MB = 256;

/** Looks into the store, with the deployment's own settings. */
async function examineModels(settings: Settings, url: string, region: string | undefined) {
  const config = readSettings(settings);
  const nothing = { findings: [] as Finding[], isWatched: false, budgetMb: USUAL_BUDGET_MB };
  if (Array.isArray(config)) return nothing;
  const budgetMb = config.sessionBudgetBytes / 1024 / 1024;
  const bucket = url.startsWith("s3://") ? await checkBucket(url, region) : [];
  if (bucket.some(({ level }) => level === "wrong"))
    return { ...nothing, findings: bucket, budgetMb };
  const isolate = settings.platform === "cloudflare" ? WORKER_ISOLATE : undefined;
  try {
    const look = (store: Parameters<typeof checkStore>[0]) =>
      checkStore(store, url, config, { isolate, now: Date.now() });
    const { findings, isWatched, lookingUp } = await withStore(url, {}, look);
    const sources = await checkSources(lookingUp, config, settings);
    return { findings: [...bucket, ...findings, ...sources], isWatched, budgetMb };
  } catch (error) {
    const fix = isFolder(url)
      ? "Make it, or name it with --models."
      : "Correct its name or the credentials.";
    const unread = findingsAt(url).wrong(`It cannot be read: ${describeFailure(error)}`, fix);
    return { ...nothing, findings: [...bucket, unread], budgetMb };
  }
}

/** Variables that are known now. What only CloudFormation knows is left out. */
function texts(values: Record<string, unknown>): Record<string, string> {
  const known = Object.entries(values).flatMap(([name, value]): [string, string][] => {
    if (typeof value === "string") return [[name, value]];
    return typeof value === "number" || typeof value === "boolean" ? [[name, String(value)]] : [];
  });
  return Object.fromEntries(known);
}

function unseen(what: string, models: string): string {
  return `${what} was not looked at: there are no credentials here. ${models} was looked at in its place.`;
}
