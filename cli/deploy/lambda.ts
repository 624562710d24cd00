import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { apiKeysSchema } from "../../functions/auth/api-keys.ts";
import { plainIssue } from "../../functions/plain-issue.ts";
import { readParameter } from "../../functions/platform/parameter-store.ts";
import type { Architecture } from "../build/architectures.ts";
import { buildLambdaFolders, LAMBDA_NODE, zipPackage } from "../build/lambda.ts";
import { findEntry } from "../entry.ts";
import { describeFailure } from "../failure.ts";
import { mebibytes } from "../fit.ts";
import type { Findings } from "./findings.ts";
import { checkJobs, type JobsService } from "./lambda-jobs.ts";
import { deployStack, stackOf, type Stack } from "./lambda-stack.ts";
import { checkModels, isRemote } from "./models.ts";
import { askTool, lastLine, runTool } from "./run-tool.ts";
import type { Deployed, DeployOptions, Deployment } from "./types.ts";

/** The parts of serverless.yml, as osls reads it, that matter here. */
export interface Service extends JobsService {
  provider: {
    runtime?: string;
    architecture?: string;
    memorySize?: number;
    region?: string;
    environment?: Record<string, unknown>;
  };
  package?: { artifact?: string };
}

const OUTPUT = "dist/lambda";
const SSM = "ssm:";
const CREDENTIALS =
  "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_REGION.";

/**
 * Builds the package and deploys the function that serverless.yml describes, to each of these regions. Everything is
 * checked in all of them before the first one is deployed to.
 */
export async function prepareLambda(
  options: DeployOptions,
  regions: readonly (string | undefined)[] = [undefined],
): Promise<Deployment> {
  const findings: Findings = { problems: [], notes: [] };
  if (!existsSync("serverless.yml"))
    throw new Error(
      `There is no serverless.yml in ${process.cwd()}. A project that has one is made with: nearcast init <folder> --platform lambda`,
    );
  // serverless.yml hands it on.
  process.env["DEPLOYMENT_ID"] = options.id;
  const places = regions.map((region) => argumentsFor(options, region));
  const known: Pick<Deployed, "id" | "released">[] = [];
  for (const [index, others] of places.entries()) {
    const service = await readService(others);
    if (index === 0) {
      await build(service, options, findings);
      checkJobs(service, findings);
    }
    const region = regions[index];
    useRegion(service, region);
    const { findings: found, released } = await checkPlace(service, options, others);
    add(findings, found, places.length > 1 ? region : "");
    known.push({
      id: nameOf(service, options, findings),
      ...(released && {
        released: () => {
          useRegion(service, region);
          return released();
        },
      }),
    });
  }
  return {
    findings,
    async run(deployed) {
      for (const [index, others] of places.entries())
        if (options.dryRun) await dryRun(others);
        else deployed.push({ ...(await deployStack(others)), ...known[index] });
    },
  };
}

function argumentsFor({ stage, others }: DeployOptions, region: string | undefined): string[] {
  return [
    ...(stage === undefined ? [] : ["--stage", stage]),
    ...(region === undefined ? [] : ["--region", region]),
    ...others,
  ];
}

/** serverless.yml as osls reads it with these arguments. */
export async function readService(args: readonly string[]): Promise<Service> {
  return JSON.parse(await askTool("osls", ["print", "--format", "json", ...args])) as Service;
}

/** Keys and buckets lie in the region to which osls deploys, whatever AWS_REGION was. */
export function useRegion({ provider }: Service, region = provider.region): void {
  if (region) process.env["AWS_REGION"] = region;
}

/** What only one region has: its keys and its models. */
async function checkPlace(
  { provider: { environment = {} } }: Service,
  options: DeployOptions,
  others: readonly string[],
): Promise<{ findings: Findings } & Pick<Deployed, "released">> {
  const { models, dryRun } = options;
  const findings: Findings = { problems: [], notes: [] };
  await checkKeys(environment, dryRun, findings);
  const store = dryRun ? undefined : await findStore(environment, options, others, findings);
  if (dryRun) findings.notes.push("The bucket was not looked at: a dry run asks nobody.");
  const released = await checkModels({ models, store, runtime: "native" }, findings);
  return { findings, released };
}

/** The name that the deployed function gets. */
function nameOf(
  { provider: { environment = {} } }: Service,
  { id }: DeployOptions,
  { notes }: Findings,
): string | undefined {
  if (environment["DEPLOYMENT_ID"] === id) return id;
  const note =
    "serverless.yml passes no name on, so that --smoke cannot tell the new deployment from the one before. Write DEPLOYMENT_ID: ${env:DEPLOYMENT_ID, ''} under provider.environment.";
  if (!notes.includes(note)) notes.push(note);
  return undefined;
}

function add(all: Findings, { problems, notes }: Findings, region = ""): void {
  const before = region && `${region}: `;
  all.problems.push(...problems.map(({ what, fix }) => ({ what: `${before}${what}`, fix })));
  all.notes.push(...notes.map((note) => `${before}${note}`));
}

async function dryRun(others: readonly string[]): Promise<void> {
  console.log(`A dry run packages; ${["osls deploy", ...others].join(" ")} would follow.`);
  await runTool("osls", ["package", ...others]);
}

async function build(
  { provider, package: packaged }: Service,
  { entry, models, packaged: names = [] }: DeployOptions,
  findings: Findings,
): Promise<void> {
  const runtime = `nodejs${LAMBDA_NODE}.x`;
  if (provider.runtime !== runtime)
    findings.problems.push({
      what: `serverless.yml names the runtime ${provider.runtime ?? "of osls's own choice"}; the package is made for ${runtime}.`,
      fix: `Write runtime: ${runtime} under provider.`,
    });
  const architecture: Architecture = provider.architecture === "arm64" ? "arm64" : "x64";
  const file = await findEntry("lambda", entry);
  const architectures = [architecture];
  const [made] = await buildLambdaFolders({
    entry: file,
    output: OUTPUT,
    models,
    packaged: names,
    architectures,
  });
  if (!made) return;
  console.log(`${OUTPUT}/${architecture}.zip  ${mebibytes(await zipPackage(made))}`);
  const artifact = packaged?.artifact;
  if (artifact === undefined || resolve(artifact) !== resolve(`${OUTPUT}/${architecture}.zip`))
    findings.problems.push({
      what: `serverless.yml uploads ${artifact ?? "files of its own choice"}; what was built is ${OUTPUT}/${architecture}.zip.`,
      fix: `Write artifact: ${OUTPUT}/${architecture}.zip under package.`,
    });
  if (made.uncompiled === undefined) return;
  const node = Number(process.versions.node.split(".")[0]);
  if (node !== LAMBDA_NODE)
    findings.problems.push({
      what: `The package was built with Node ${node}, and Lambda runs Node ${LAMBDA_NODE}: every cold start would compile it anew.`,
      fix: `Use Node ${LAMBDA_NODE}: npm install --save-dev node@${LAMBDA_NODE}`,
    });
  else
    findings.notes.push(
      `The package has no compiled code, so cold starts take longer: ${made.uncompiled}.`,
    );
}

async function checkKeys(
  { AUTH, JWT_ISSUER, API_KEYS }: Record<string, unknown>,
  dryRun: boolean,
  findings: Findings,
): Promise<void> {
  if (AUTH === "none") {
    findings.notes.push("AUTH: none in serverless.yml lets everyone in.");
    return;
  }
  if (typeof API_KEYS !== "string" || API_KEYS === "") {
    if (!JWT_ISSUER && !API_KEYS)
      findings.problems.push({
        what: "serverless.yml sets neither API_KEYS nor JWT_ISSUER: the function would answer nothing but health.",
        fix: "Write API_KEYS: ssm:/name under provider.environment, and put the keys there.",
      });
    return;
  }
  if (!API_KEYS.startsWith(SSM)) return checkEntries(API_KEYS, "API_KEYS", findings);
  await checkParameter(API_KEYS, dryRun, findings);
}

/** Whether the parameter of `ssm:/name` has keys. A dry run asks nobody. */
export async function checkParameter(
  API_KEYS: string,
  dryRun: boolean,
  findings: Findings,
): Promise<void> {
  const name = API_KEYS.slice(SSM.length);
  const put = `npx nearcast key --name web, then: aws ssm put-parameter --type SecureString --name ${name} --value '[entry]'`;
  if (dryRun) {
    findings.notes.push(`The parameter ${name} was not looked at: a dry run asks nobody.`);
    return;
  }
  try {
    const value = await readParameter(name);
    if (value !== undefined) return checkEntries(value, `The parameter ${name}`, findings);
    const what = `There is no parameter ${name}: the function would answer nothing but health.`;
    findings.problems.push({ what, fix: put });
  } catch (error) {
    findings.problems.push({
      what: `The parameter ${name} could not be read: ${describeFailure(error)}`,
      fix: CREDENTIALS,
    });
  }
}

function checkEntries(text: string, where: string, findings: Findings): void {
  const result = apiKeysSchema.safeParse(text);
  if (result.success) return;
  const [issue] = result.error.issues;
  findings.problems.push({
    what: `${where} has no keys that the function takes: ${issue?.path.join(".") ?? ""} ${plainIssue(issue?.message ?? "")}`,
    fix: "It is a JSON array of entries as `npx nearcast key` prints them.",
  });
}

/** The store of the deployed function, once there is a stack. */
async function findStore(
  { STORE }: Record<string, unknown>,
  options: DeployOptions,
  others: readonly string[],
  findings: Findings,
): Promise<string | undefined> {
  if (options.store !== undefined) return options.store;
  if (isRemote(STORE)) return STORE;
  const stack = await findStack(others, findings);
  if (!stack) return undefined;
  if (stack.bucket !== undefined) return `s3://${stack.bucket}`;
  findings.notes.push(
    "No bucket was found: the first deployment makes it, and says how to put the models there.",
  );
  return undefined;
}

/** The deployed stack. Undefined when it cannot be asked for, which is a problem. */
export async function findStack(
  others: readonly string[],
  findings: Findings,
): Promise<Stack | undefined> {
  return stackOf(others).catch((error: Error) => {
    const what = `Whether there is a stack is not known: ${lastLine(error.message)}`;
    findings.problems.push({ what, fix: CREDENTIALS });
    return undefined;
  });
}
