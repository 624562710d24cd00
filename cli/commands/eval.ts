import type { Command } from "commander";
import { readRows } from "../evaluate/data.ts";
import { evaluate, type Evaluation } from "../evaluate/evaluate.ts";
import type { Calibration } from "../../functions/tasks/define.ts";
import {
  jsonObject,
  jsonOption,
  modelsOption,
  positiveInteger,
  runtimeOption,
} from "../options.ts";
import { openPackage, parseReference } from "../package-folder.ts";
import type { RuntimeName } from "../predictor.ts";

interface Flags {
  data: string;
  runtime: RuntimeName;
  k: number;
  parameters?: Record<string, unknown>;
  models: string;
  json?: true;
}

/** `nearcast eval <model[@version]> --data <file>`. */
export function evalCommand(program: Command): void {
  program
    .command("eval <model>")
    .description(
      "how good a version is on labelled data, through the predict path of the functions",
    )
    .requiredOption(
      "--data <file>",
      '.jsonl of {"input": …, "label": …}, or .csv with a label column',
    )
    .addOption(runtimeOption(["native", "wasm"], "native"))
    .option("--k <number>", "how many items of a list count", positiveInteger, 10)
    .option("--parameters <json>", 'of the predictions, such as {"dimensions": 64}', jsonObject)
    .addOption(modelsOption())
    .addOption(jsonOption())
    .action(async (reference: string, flags: Flags) => {
      const local = await openPackage(flags.models, parseReference(reference));
      const rows = await readRows(flags.data, local.manifest);
      const { lessIsBetter: _, saidCalibrated, ...evaluation } = await evaluate(local, rows, flags);
      console.log(flags.json ? JSON.stringify(evaluation) : report(evaluation));
      const { calibration } = evaluation;
      if (saidCalibrated && calibration && calibration.error > calibration.bound)
        console.error(
          `The manifest says that the scores of ${evaluation.model}@${evaluation.version} are calibrated (feedback.calibrated), and on this data they are not: ${calibrated(calibration)}.`,
        );
    });
}

function calibrated({ error, bins, rows, bound }: Calibration): string {
  return `expected calibration error ${error.toFixed(4)} with ${bins} bins and ${rows} rows, where calibrated scores have at most ${bound.toFixed(4)} in 99 of 100 cases`;
}

function report({
  model,
  version,
  runtime,
  rows,
  searched,
  metrics,
  confusion,
  calibration,
}: Omit<Evaluation, "lessIsBetter" | "saidCalibrated">): string {
  const among = searched === undefined ? "" : `, each searched among ${searched}`;
  const lines = [`${model}@${version} on ${runtime}, ${rows} rows${among}`];
  const width = Math.max(...Object.keys(metrics).map((name) => name.length));
  for (const [name, value] of Object.entries(metrics))
    lines.push(`  ${name.padEnd(width)}  ${value.toFixed(4)}`);
  if (calibration) lines.push("", `calibration: ${calibrated(calibration)}`);
  if (confusion) lines.push("", ...matrix(confusion));
  return lines.join("\n");
}

function matrix({ labels, counts }: NonNullable<Evaluation["confusion"]>): string[] {
  const width = Math.max(...[...labels, ...counts.flat()].map((cell) => String(cell).length));
  const line = (cells: readonly unknown[]): string =>
    cells.map((cell) => String(cell).padStart(width)).join("  ");
  return [
    "rows: true label, columns: predicted",
    line(["", ...labels]),
    ...counts.map((row, index) => line([labels[index], ...row])),
  ];
}
