import { open, rename, rm } from "node:fs/promises";
import { extname } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import { readDataset, type Dataset, type DatasetOptions } from "../captured/dataset.ts";
import { columnsOf, headerOf, toCsv, toJsonl } from "../captured/table.ts";
import type { Store } from "../../functions/model/store.ts";
import { withStoreOptions, type StoreFlags } from "../options.ts";
import { readOutcomes } from "../outcomes.ts";
import { checkName } from "../package-folder.ts";
import { readText } from "../read-text.ts";
import { withStore } from "../store.ts";

interface Flags extends StoreFlags {
  out: string;
  from?: string;
  to?: string;
  truth?: string;
  all?: true;
}

/** `nearcast dataset <model>`. */
export function datasetCommand(program: Command): void {
  withStoreOptions(program.command("dataset <model>"))
    .description("captured inputs with what really happened, for training")
    .requiredOption("--out <file>", ".jsonl, or .csv with the features and label", outOf)
    .option("--from <day>", "the first day, such as 2026-11-29", dayOf)
    .option("--to <day>", "the last day", dayOf)
    .option("--truth <file>", "further outcomes, as for `nearcast feedback`")
    .option("--all", "also inputs whose outcome is not known")
    .action(async (model: string, { out, from, to, truth, all, ...flags }: Flags) => {
      checkName("model", model);
      const options = { from, to, all, truth: truth === undefined ? undefined : await read(truth) };
      await withStore(flags.store, flags, async (store) => {
        const { rows, ...left } = await write(store, model, options, out);
        console.log(
          `${out} has ${rows} rows. ${left.withoutTruth} inputs have no outcome, ${left.withoutInput} calls kept no input, ${left.unreadable} lines cannot be read.`,
        );
      });
    });
}

async function read(path: string): Promise<Map<string, unknown>> {
  const given = readOutcomes(await readText(path));
  return new Map(given.map(({ request_id: id, outcome }) => [id, outcome]));
}

/** Writes beside the file, and puts the whole in its place. */
async function write(
  store: Store,
  model: string,
  options: DatasetOptions,
  out: string,
): Promise<Dataset> {
  const columns = isCsv(out) ? await columnsIn(store, model, options) : undefined;
  const temporary = `${out}.${process.pid}.tmp`;
  const file = await open(temporary, "w");
  try {
    if (columns) await file.write(headerOf(columns));
    const made = await readDataset(store, model, options, async (rows) => {
      await file.write(columns ? toCsv(rows, columns) : toJsonl(rows));
    });
    await file.close();
    if (made.rows === 0)
      throw new Error(
        `There is no row for ${out}: ${made.withoutTruth} inputs have no outcome, ${made.withoutInput} kept no input.`,
      );
    await rename(temporary, out);
    return made;
  } finally {
    await file.close();
    await rm(temporary, { force: true });
  }
}

async function columnsIn(store: Store, model: string, options: DatasetOptions): Promise<string[]> {
  const columns = new Set<string>();
  await readDataset(store, model, options, (rows) => {
    for (const name of columnsOf(rows)) columns.add(name);
  });
  return [...columns];
}

function isCsv(path: string): boolean {
  return extname(path).toLowerCase() === ".csv";
}

function outOf(path: string): string {
  if (!isCsv(path) && extname(path).toLowerCase() !== ".jsonl")
    throw new InvalidArgumentError("It must end in .jsonl or .csv.");
  return path;
}

function dayOf(text: string): string {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || Number.isNaN(Date.parse(text)))
    throw new InvalidArgumentError("It is not a day, such as 2026-11-29.");
  return text;
}
