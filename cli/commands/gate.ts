import type { Command } from "commander";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseRelease } from "../../functions/model/release.ts";
import { readRows } from "../evaluate/data.ts";
import { evaluate, gain, type Evaluation } from "../evaluate/evaluate.ts";
import { jsonOption, modelsOption, numberOf, positiveInteger, runtimeOption } from "../options.ts";
import { label, openPackage, parseReference, type LocalPackage } from "../package-folder.ts";
import type { RuntimeName } from "../predictor.ts";

interface Flags {
  against: string;
  data: string;
  minGain: number;
  metric?: string;
  runtime: RuntimeName;
  k: number;
  models: string;
  json?: true;
}

/** Sums of the same numbers in another order differ by less than this. */
const ROUNDING = 1e-12;

/** `nearcast gate <candidate> --against <model> --data <file>`. */
export function gateCommand(program: Command): void {
  program
    .command("gate <candidate>")
    .description("exit with 0 only when the candidate is at least as good as another version")
    .requiredOption(
      "--against <model>",
      "name@version, or a name for its released version (its newest when none was released)",
    )
    .requiredOption(
      "--data <file>",
      '.jsonl of {"input": …, "label": …}, or .csv with a label column',
    )
    .option("--min-gain <number>", "how much better it must be", numberOf, 0)
    .option("--metric <name>", "which metric decides (default: accuracy, r2 or the hit rate)")
    .addOption(runtimeOption(["native", "wasm"], "native"))
    .option("--k <number>", "recommendation: how many items", positiveInteger, 10)
    .addOption(modelsOption())
    .addOption(jsonOption())
    .action(async (reference: string, flags: Flags) => {
      const candidate = await openPackage(flags.models, parseReference(reference));
      const baseline = await openBaseline(flags.models, flags.against);
      if (candidate.manifest.task !== baseline.manifest.task)
        throw new Error(
          `${label(candidate.manifest)} is a ${candidate.manifest.task} model, ${label(baseline.manifest)} a ${baseline.manifest.task} one.`,
        );
      const score = async (local: LocalPackage) =>
        evaluate(local, await readRows(flags.data, local.manifest), flags);
      const [now, before] = [await score(candidate), await score(baseline)];
      const metric = flags.metric ?? Object.keys(now.metrics)[0] ?? "";
      const [value, base] = [now.metrics[metric], before.metrics[metric]];
      if (value === undefined || base === undefined)
        throw new Error(
          `There is no metric ${metric} on this data; there is ${Object.keys(now.metrics).join(", ")}.`,
        );
      const gained = gain(metric, now, before);
      const passed = gained >= flags.minGain - ROUNDING;
      const verdict = `${metric} of ${label(candidate.manifest)} is ${value.toFixed(4)}, of ${label(baseline.manifest)} ${base.toFixed(4)}: a gain of ${gained.toFixed(4)}, ${passed ? "and" : "but"} ${flags.minGain} is asked for (${now.rows} rows).`;
      if (flags.json)
        console.log(
          JSON.stringify({
            passed,
            metric,
            gain: gained,
            minGain: flags.minGain,
            candidate: shown(now),
            baseline: shown(before),
          }),
        );
      else if (passed) console.log(verdict);
      if (!passed) throw new Error(verdict);
    });
}

function shown({ lessIsBetter: _lessIsBetter, ...evaluation }: Evaluation) {
  return evaluation;
}

async function openBaseline(models: string, reference: string): Promise<LocalPackage> {
  const { name, version } = parseReference(reference);
  const text = await readFile(join(models, name, "release.json"), "utf8").catch(() => undefined);
  const released = text === undefined ? undefined : parseRelease(text).stable;
  const wanted = version ?? released;
  return openPackage(models, { name, ...(wanted !== undefined && { version: wanted }) });
}
