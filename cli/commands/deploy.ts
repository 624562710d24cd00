import { Option, type Command } from "commander";
import { describeProblems } from "../deploy/findings.ts";
import { deployAndAsk } from "../deploy/go-back.ts";
import type { DeployOptions, Deployment } from "../deploy/types.ts";
import { commas, modelsOption, withOption } from "../options.ts";
import { withSmokeOptions, type SmokeFlags } from "../smoke-options.ts";

interface Flags extends SmokeFlags {
  models: string;
  entry?: string;
  store?: string;
  stage?: string;
  dryRun?: true;
  with?: string[];
  regions?: string[];
  smoke?: true;
  url?: string;
  key?: string;
}

/** `nearcast deploy cloudflare` and `nearcast deploy lambda`. */
export function deployCommand(program: Command): void {
  const deploy = program
    .command("deploy")
    .description("check keys, models and limits, then deploy with wrangler or osls");
  withDeployOptions(deploy.command("cloudflare [options...]"))
    .description("the Worker; after -- options for wrangler")
    .action(async (others: string[], flags: Flags) => {
      const { prepareCloudflare } = await import("../deploy/cloudflare.ts");
      await perform(await prepareCloudflare(optionsOf(flags, others)), flags);
    });
  withDeployOptions(deploy.command("lambda [options...]"))
    .description("the function, its URL and its bucket; after -- options for osls")
    .option("--entry <file>", "the module that exports handler (default: src/lambda.ts)")
    .addOption(
      new Option(
        "--regions <names>",
        "one after the other, in place of serverless.yml's: eu-west-1,us-east-1",
      ).argParser(commas),
    )
    .addOption(withOption())
    .action(async (others: string[], flags: Flags) => {
      const { prepareLambda } = await import("../deploy/lambda.ts");
      await perform(await prepareLambda(optionsOf(flags, others), flags.regions), flags);
    });
}

function withDeployOptions(command: Command): Command {
  return withSmokeOptions(command)
    .option(
      "--smoke",
      "then ask it as `nearcast smoke` does, and go back to what was deployed before if it fails",
    )
    .addOption(
      new Option("--url <url>", "for --smoke: where it is (default: as the tool says)").env(
        "NEARCAST_URL",
      ),
    )
    .addOption(new Option("--key <key>", "for --smoke: an API key for it").env("NEARCAST_KEY"))
    .option("--dry-run", "ask nobody: check what can be checked here, and package")
    .option("--stage <name>", "such as production; for wrangler the environment of that name")
    .option("--store <url>", "where the models lie, when the configuration does not say")
    .addOption(modelsOption());
}

function optionsOf(flags: Flags, others: string[]): DeployOptions {
  const { models, entry, store, stage, dryRun = false, with: packaged = [] } = flags;
  return { models, entry, packaged, store, stage, id: crypto.randomUUID(), dryRun, others };
}

async function perform({ findings, run }: Deployment, flags: Flags): Promise<void> {
  for (const note of findings.notes) console.log(`Note: ${note}`);
  if (findings.problems.length > 0) throw new Error(describeProblems(findings));
  console.log("Nothing that was looked at speaks against it.");
  if (!flags.smoke) return run([]);
  const { url, key, tolerance, wait: waitSeconds } = flags;
  await deployAndAsk({ run }, { ...(url && { url }), ...(key && { key }), tolerance, waitSeconds });
}
