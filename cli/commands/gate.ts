import type { Command } from "commander";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseRelease } from "../../functions/model/release.ts";
import type { Evaluation } from "../evaluate/evaluate.ts";
import { judge } from "../evaluate/gate.ts";
import { jsonOption, modelsOption, numberOf, positiveInteger, runtimeOption } from "../options.ts";
import { openPackage, parseReference, type LocalPackage } from "../package-folder.ts";
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
    .option("--k <number>", "how many items of a list count", positiveInteger, 10)
    .addOption(modelsOption())
    .addOption(jsonOption())
    .action(async (reference: string, flags: Flags) => {
      const candidate = await openPackage(flags.models, parseReference(reference));
      const baseline = await openBaseline(flags.models, flags.against);
      const verdict = await judge(candidate, baseline, flags);
      const { passed, metric, gain, text } = verdict;
      if (flags.json)
        console.log(
          JSON.stringify({
            passed,
            metric,
            gain,
            minGain: flags.minGain,
            candidate: shown(verdict.candidate),
            baseline: shown(verdict.baseline),
          }),
        );
      else if (passed) console.log(text);
      if (!passed) throw new Error(text);
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
