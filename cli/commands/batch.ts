import { extname } from "node:path";
import { Option, type Command } from "commander";
import { OUTPUT_FORMATS, type OutputFormat } from "../../functions/batches/output-lines.ts";
import { FORMATS, type Format } from "../../functions/inputs/row.ts";
import { answerFile } from "../batch/answer-file.ts";
import { openFile } from "../batch/file-source.ts";
import { openLocal } from "../batch/local.ts";
import { errorsPath, openOutput, runOf } from "../batch/output.ts";
import { openRemote } from "../batch/remote.ts";
import { showProgress } from "../batch/show-progress.ts";
import { RowsWithoutAnswer } from "../failure.ts";
import { modelsOption, positiveInteger, runtimeOption } from "../options.ts";
import { label, parseReference } from "../package-folder.ts";
import type { RuntimeName } from "../predictor.ts";

interface Flags {
  input: string;
  output: string;
  inputFormat?: Format;
  outputFormat?: OutputFormat;
  header?: "present" | "absent";
  parameters?: string;
  models: string;
  store?: string;
  runtime: RuntimeName;
  url?: string;
  key?: string;
  atOnce: number;
}

/** `nearcast batch <model[@version]> --input file --output file`. */
export function batchCommand(program: Command): void {
  program
    .command("batch <model>")
    .description(
      "answer each row of a file, here or by a deployment; go on where the same command was ended",
    )
    .requiredOption("--input <file>", ".jsonl (an input a line), .csv or .parquet")
    .requiredOption(
      "--output <file>",
      ".jsonl or .csv, a line for each row; errors by line go to <file>.errors.jsonl",
    )
    .addOption(
      new Option("--input-format <name>", "if its name does not say").choices([...FORMATS]),
    )
    .addOption(
      new Option("--output-format <name>", "if its name does not say").choices([...OUTPUT_FORMATS]),
    )
    .addOption(
      new Option("--header <is>", "whether the first line of CSV is a header").choices([
        "present",
        "absent",
      ]),
    )
    .option("--parameters <json>", 'of the task, such as {"top_k":3}')
    .addOption(modelsOption())
    .option("--store <url>", "answer from a folder or s3://bucket/prefix, as it is released there")
    .addOption(runtimeOption(["native", "wasm"], "native"))
    .option("--url <url>", "ask this deployment instead")
    .addOption(new Option("--key <key>", "an API key for it").env("NEARCAST_KEY"))
    .option("--at-once <number>", "requests to the deployment at once", positiveInteger, 4)
    .action(async (text: string, flags: Flags) => {
      const { input, output, header, url } = flags;
      const format = flags.inputFormat ?? formatOf(input, FORMATS, "--input-format");
      const outputFormat =
        flags.outputFormat ?? formatOf(output, OUTPUT_FORMATS, "--output-format");
      const parameters = parametersOf(flags.parameters);
      const reference = parseReference(text);
      const asked = url
        ? await openRemote(reference, { ...flags, url, parameters })
        : await openLocal(reference, { ...flags, parameters });
      const { source, close } = await openFile(input);
      // An output without statuses, of an earlier release of this command, is begun anew.
      const statuses = asked.model.manifest.lookup ? ["features"] : [];
      const what = [source.size, format, outputFormat, header, parameters, ...statuses];
      const run = runOf(label(asked), ...what);
      const into = await openOutput(output, run);
      if (into.progress.rows > 0) console.error(`Goes on after ${into.progress.rows} rows.`);
      const bar = showProgress();
      try {
        const options = { format, header, output: outputFormat, onStep: bar.step };
        await answerFile(source, asked, into, options);
      } finally {
        bar.stop();
        await close();
        await into.close();
      }
      const { rows, failed } = into.progress;
      if (rows === 0) throw new Error(`${input} has no row.`);
      await into.finish();
      const missing = failed > 0 ? `, ${failed} of them without an answer` : "";
      console.log(`${rows} rows by ${label(asked)}${missing}: ${output}`);
      if (failed > 0)
        throw new RowsWithoutAnswer(
          `${failed} of ${rows} rows have no answer: see ${errorsPath(output)}.`,
        );
    });
}

function formatOf<Name extends string>(path: string, names: readonly Name[], flag: string): Name {
  const ending = extname(path).slice(1).toLowerCase();
  const found = names.find((name) => name === (ending === "ndjson" ? "jsonl" : ending));
  if (found) return found;
  throw new Error(
    `${path} does not end in ${names.map((name) => `.${name}`).join(", ")}: say what it is with ${flag}.`,
  );
}

function parametersOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new Error(`--parameters is not JSON: ${(cause as Error).message}`, { cause });
  }
}
