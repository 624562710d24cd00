// What osls makes of serverless.yml for CloudFormation, for each kind of stage, with no option and with all of them.
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { zipSync } from "fflate";
import { projectTool } from "../cli/project-tool.ts";

/** Every option of `params` that is off by default. */
export const ALL_OPTIONS: Record<string, string> = {
  architecture: "arm64",
  rateLimit: "100/60s",
  modelRateLimit: "1000/60s",
  requestsPerSecond: "50",
  requestsAtOnce: "60",
  reservedConcurrency: "20",
  provisionedConcurrency: "2",
  jobsAtOnce: "3",
  logDays: "365",
  alarmEmail: "ops@example.com",
  dailyCost: "5",
  monthlyBudget: "50",
  dashboard: "on",
  domainName: "models.example.com",
  certificateArn:
    "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000",
  hostedZoneId: "Z0123456789ABC",
  waf: "on",
  wafRequests: "500",
  kmsKeyArn: "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000",
  logBucket: "logs-of-the-company",
};

/** Arguments of osls by the name of the stack. */
export const STACKS: Record<string, readonly string[]> = {
  dev: [],
  staging: ["--stage", "staging"],
  production: ["--stage", "production"],
  preview: ["--stage", "pr-12"],
  everything: [
    "--stage",
    "production",
    "--region",
    "eu-west-1",
    ...Object.entries(ALL_OPTIONS).map(([name, value]) => `--param=${name}=${value}`),
  ],
};

/** The template of each stack of the project in this folder, as JSON by the stack's name. */
export async function packageStacks(
  project: string,
  names: readonly string[] = Object.keys(STACKS),
): Promise<Map<string, string>> {
  const made = names.map(async (name) => [name, await packageStack(project, name)] as const);
  return new Map(await Promise.all(made));
}

async function packageStack(project: string, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-stack-"));
  try {
    for (const path of ["serverless.yml", "infra/aws"])
      await cp(join(project, path), join(folder, path), { recursive: true });
    await mkdir(join(folder, "dist/lambda"), { recursive: true });
    const zip = zipSync({ "index.js": new Uint8Array(1) });
    for (const architecture of ["x64", "arm64"])
      await writeFile(join(folder, `dist/lambda/${architecture}.zip`), zip);
    const args = [projectTool("osls"), "package", ...(STACKS[name] ?? [])];
    const env = { ...process.env, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
    await promisify(execFile)(process.execPath, args, { cwd: folder, env });
    const path = join(folder, ".serverless/cloudformation-template-update-stack.json");
    return await readFile(path, "utf8");
  } finally {
    await rm(folder, { recursive: true });
  }
}
