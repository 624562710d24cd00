import { readdir } from "node:fs/promises";
import { Option, type Command } from "commander";
import { describeFailure } from "../failure.ts";
import { modelsOption, numberOf, percentage, seconds, withLocalOptions } from "../options.ts";
import { checkName, localVersions } from "../package-folder.ts";
import { releaseNote } from "../releases.ts";
import { ship, type ShipOptions } from "../ship.ts";
import { withSmokeOptions, type SmokeFlags } from "../smoke-options.ts";
import { withStore } from "../store.ts";

interface Flags extends SmokeFlags {
  to: string;
  models: string;
  all?: true;
  minGain: number;
  metric?: string;
  steps?: number[];
  every?: number;
  url?: string;
  key?: string;
  by?: string;
  why?: string;
  dryRun?: true;
  local?: true;
  persistTo?: string;
}

/** `nearcast ship <model> --to <store>`, or with `--all` every model. */
export function shipCommand(program: Command): void {
  const command = withSmokeOptions(
    program
      .command("ship [model]")
      .description(
        "verify, judge against what is released, sign (with the private key in NEARCAST_SIGNING_KEY), push and release a version, then ask the deployment for it; a version that fails there is taken back",
      )
      .requiredOption("--to <url>", "folder, s3://bucket/prefix or r2://bucket/prefix")
      .option("--all", "every model in --models")
      .option("--min-gain <number>", "how much better it must be", numberOf, 0)
      .option("--metric <name>", "which metric decides (default: accuracy, r2 or the hit rate)")
      .addOption(
        new Option(
          "--steps <percents>",
          "its shares one after the other, such as 5,25,50,100, in place of a release at once",
        ).argParser((text) => text.split(",").map(percentage)),
      )
      .option("--every <time>", "the least time between two steps, such as 10m", seconds)
      .addOption(new Option("--url <url>", "the deployment to ask afterwards").env("NEARCAST_URL"))
      .addOption(new Option("--key <key>", "an API key for it").env("NEARCAST_KEY"))
      .option("--by <who>", "who releases (default: the CI account or the user)")
      .option("--why <text>", "why, for the history of the release")
      .option("--dry-run", "verify and judge, and write nothing")
      .addOption(modelsOption()),
  );
  withLocalOptions(command).action(async (model: string | undefined, flags: Flags) => {
    const wrong = wrongUsage(model, flags);
    if (wrong !== undefined) command.error(`error: ${wrong}`);
    if (model !== undefined) checkName("model", model);
    const names = model === undefined ? await modelsIn(flags.models) : [model];
    await withStore(flags.to, flags, async (store) => {
      // One model that must not be shipped holds up no other.
      const failures: string[] = [];
      for (const name of names)
        try {
          for await (const line of ship(store, name, optionsOf(flags))) console.log(line);
        } catch (error) {
          failures.push(describeFailure(error));
        }
      if (failures.length > 0) throw new Error(failures.join("\n"));
    });
  });
}

function wrongUsage(model: string | undefined, { all, steps, every }: Flags): string | undefined {
  if ((model === undefined) !== Boolean(all)) return "say which model, or --all";
  if ((steps === undefined) !== (every === undefined)) return "--steps and --every go together";
  if (steps?.some((step, index) => step <= (steps[index - 1] ?? 0)))
    return "--steps must rise, such as 5,25,50,100";
  return undefined;
}

function optionsOf(flags: Flags): ShipOptions {
  const { models, dryRun = false, tolerance, minGain, metric, steps, every, url, key } = flags;
  const signingKey = process.env["NEARCAST_SIGNING_KEY"];
  return {
    models,
    dryRun,
    tolerance,
    minGain,
    note: releaseNote(flags),
    ...(metric !== undefined && { metric }),
    ...(signingKey && { signingKey }),
    ...(steps && every !== undefined && { steps: { percents: steps, everySeconds: every } }),
    // Variables of CI that are not set are empty.
    ...(url && {
      deployment: { url, ...(key && { key }), tolerance, waitSeconds: flags.wait },
    }),
  };
}

async function modelsIn(models: string): Promise<string[]> {
  const entries = await readdir(models, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const found: string[] = [];
  for (const name of names.toSorted())
    if ((await localVersions(models, name)).length > 0) found.push(name);
  return found;
}
