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
  shadow?: number;
  steps?: number[];
  every?: number;
  minRequests?: number;
  alpha?: number;
  latency?: number;
  disagreement?: number;
  absolute?: number;
  relative?: number;
  webhook?: string;
  by?: string;
  why?: string;
}

/** `nearcast rollout <model>@<version>`. */
export function rolloutCommand(program: Command): void {
  const command = withStoreOptions(program.command("rollout <version>"))
    .description(
      "give a version, as <model>@<version>, a share of the traffic, or copies of it; a bad one is taken back by itself",
    )
    .option("--percent <number>", "its share of the traffic; 0 takes it back", percentage)
    .option(
      "--shadow <number>",
      "it gets copies of this share of the traffic, and answers nobody; 0 ends it",
      percentage,
    )
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
    .option(
      "--disagreement <share>",
      "take it back if it answers more than this part of copied inputs otherwise than stable, such as 0.05",
      numberOf,
    )
    .option(
      "--absolute <number>",
      "how far numbers may differ from stable's in copies (default: 0.05)",
      numberOf,
    )
    .option(
      "--relative <number>",
      "and beside that, as a part of stable's number (default: 0.05)",
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
    const { shadow, percent = flags.steps?.[0] ?? 0 } = flags;
    const share = shadow === undefined ? { percent } : { shadow };
    const trial = { share, policy: policyOf(flags) };
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
  const { percent, shadow, steps, every, webhook } = flags;
  if ((percent ?? shadow ?? steps) === undefined)
    return "say what it gets: --percent, --steps or --shadow";
  if (shadow !== undefined && (percent ?? steps) !== undefined)
    return "--shadow goes with neither --percent nor --steps";
  if ((steps === undefined) !== (every === undefined)) return "--steps and --every go together";
  if (steps?.some((step, index) => step <= (steps[index - 1] ?? 0)))
    return "--steps must rise, such as 5,25,50,100";
  if (webhook !== undefined && !isWebhook(webhook)) return "--webhook must be an https URL";
  if (flags.alpha !== undefined && !(flags.alpha > 0 && flags.alpha < 1))
    return "--alpha must be between 0 and 1";
  if (flags.latency !== undefined && flags.latency < 1) return "--latency must be 1 or more";
  const { disagreement, absolute = 0, relative = 0 } = flags;
  if (disagreement !== undefined && !(disagreement > 0 && disagreement < 1))
    return "--disagreement must be between 0 and 1";
  if (absolute < 0 || relative < 0) return "--absolute and --relative must be 0 or more";
  return undefined;
}

function policyOf(flags: Flags): PolicyChange {
  const { steps, every, minRequests, alpha, latency, disagreement, webhook } = flags;
  const { absolute, relative } = flags;
  return {
    ...(steps && every !== undefined && { steps: { percents: steps, everySeconds: every } }),
    minRequests,
    rollback: {
      ...(alpha !== undefined && { alpha }),
      ...(latency !== undefined && { latency }),
      ...(disagreement !== undefined && { disagreement }),
    },
    tolerance: {
      ...(absolute !== undefined && { absolute }),
      ...(relative !== undefined && { relative }),
    },
    webhook,
  };
}
