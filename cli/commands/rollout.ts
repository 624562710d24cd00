import { Option, type Command } from "commander";
import { isWebhook } from "../../functions/model/release-policy.ts";
import { numberOf, percentage, positiveInteger, seconds, withStoreOptions } from "../options.ts";
import type { StoreFlags } from "../options.ts";
import { parseReference } from "../package-folder.ts";
import { releaseNote } from "../releases.ts";
import { describeShare, startTrial, type PolicyChange } from "../rollouts.ts";
import { withStore } from "../store.ts";
import { rolloutWatchCommand } from "./rollout-watch.ts";

interface Flags extends StoreFlags {
  percent?: number;
  steps?: number[];
  every?: number;
  minRequests?: number;
  alpha?: number;
  latency?: number;
  webhook?: string;
  by?: string;
  why?: string;
}

/** `nearcast rollout <model>@<version>`. */
export function rolloutCommand(program: Command): void {
  const command = withStoreOptions(program.command("rollout <version>"))
    .description(
      "give a version, as <model>@<version>, a share of the traffic; a bad one is taken back by itself",
    )
    .option("--percent <number>", "its share of the traffic; 0 takes it back", percentage)
    .addOption(
      new Option(
        "--steps <percents>",
        "its shares one after the other, such as 5,25,50,100",
      ).argParser((text) => text.split(",").map(percentage)),
    )
    .option("--every <time>", "the least time between two steps, such as 10m", seconds)
    .option(
      "--min-requests <number>",
      "it needs so many before a step (default: 500)",
      positiveInteger,
    )
    .option(
      "--alpha <number>",
      "the chance that a good version is taken back (default: 0.01)",
      numberOf,
    )
    .option(
      "--latency <factor>",
      "take it back if over 5 % of its answers take longer than stable's 95th percentile times this",
      numberOf,
    )
    .option("--webhook <url>", "told when a share changes by itself")
    .option("--by <who>", "who begins it (default: the CI account or the user)")
    .option("--why <text>", "why, for the history");
  rolloutWatchCommand(command.enablePositionalOptions());
  command.action(async (reference: string, flags: Flags) => {
    const { name, version } = parseReference(reference);
    if (version === undefined)
      throw new Error(`Say which version to roll out: nearcast rollout ${name}@<version>`);
    const wrong = wrongUsage(flags);
    if (wrong !== undefined) command.error(`error: ${wrong}`);
    const { percent = flags.steps?.[0] } = flags;
    const trial = { percent: percent ?? 0, policy: policyOf(flags) };
    await withStore(flags.store, flags, async (store) => {
      const release = await startTrial(store, name, version, trial, releaseNote(flags));
      const own = release.candidates.find((one) => one.version === version);
      console.log(
        `${name}@${version} gets ${own ? describeShare(own) : "nothing"} in ${flags.store}. ${name}@${release.stable} is stable.`,
      );
    });
  });
}

function wrongUsage(flags: Flags): string | undefined {
  const { percent, steps, every, webhook } = flags;
  if ((percent ?? steps) === undefined) return "say what it gets: --percent or --steps";
  if ((steps === undefined) !== (every === undefined)) return "--steps and --every go together";
  if (steps?.some((step, index) => step <= (steps[index - 1] ?? 0)))
    return "--steps must rise, such as 5,25,50,100";
  if (webhook !== undefined && !isWebhook(webhook)) return "--webhook must be an https URL";
  if (flags.alpha !== undefined && !(flags.alpha > 0 && flags.alpha < 1))
    return "--alpha must be between 0 and 1";
  if (flags.latency !== undefined && flags.latency < 1) return "--latency must be 1 or more";
  return undefined;
}

function policyOf({ steps, every, minRequests, alpha, latency, webhook }: Flags): PolicyChange {
  return {
    ...(steps && every !== undefined && { steps: { percents: steps, everySeconds: every } }),
    minRequests,
    rollback: {
      ...(alpha !== undefined && { alpha }),
      ...(latency !== undefined && { latency }),
    },
    webhook,
  };
}
