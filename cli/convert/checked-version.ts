import { dirname, join } from "node:path";
import type { Feature, Manifest } from "../../functions/model/manifest.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { writeExamples } from "../examples/files.ts";
import { openPackage, type LocalPackage } from "../package-folder.ts";
import { openPredictor } from "../predictor.ts";
import { writeVersion, type VersionDraft } from "../write-version.ts";
import { compareWithOriginal, type Comparison, type Mismatch } from "./compare-original.ts";
import { draftOf, type Choices } from "./draft.ts";
import type { Case, Made } from "./report.ts";

const EXAMPLES = 5;
const SHOWN = 3;

export interface Checked {
  local: LocalPackage;
  comparison: Comparison;
  /** What was changed in the graph for all runtimes. */
  changes: readonly string[];
  choices: Choices;
  precision: "float" | "double";
}

interface Options {
  models: string;
  identity: Pick<VersionDraft, "name" | "version" | "description" | "license">;
  /** The name of the data that metrics are of. */
  dataset: string;
  choices: Choices;
}

class OtherAnswers extends Error {
  readonly comparison: Comparison;
  readonly choices: Choices;
  constructor(comparison: Comparison, choices: Choices) {
    super(inWords(comparison));
    this.comparison = comparison;
    this.choices = choices;
  }
}

/**
 * Writes a version of the first graph that answers as the original does, on native and WASM. One that differs only for
 * missing or unknown values is written without them. Throws an Error that says how the answers differ; then nothing is
 * written.
 */
export async function writeChecked(made: Made, options: Options): Promise<Checked> {
  const failures: Error[] = [];
  // Graphs that are right but for a neighbour's answer here and there. float64 may be right where float32 is not.
  const nearly: Attempt[] = [];
  for (const graph of made.graphs) {
    const attempt = { graph, choices: options.choices, flips: 0 };
    try {
      return await writeNarrowed(made, attempt, options);
    } catch (error) {
      failures.push(error as Error);
      if (error instanceof OtherAnswers && error.comparison.mismatches.length === 0)
        nearly.push({ ...attempt, choices: error.choices, flips: Infinity });
    }
  }
  const [next] = nearly;
  if (next) return writeOne(made, next, options);
  throw failures.find((error) => error instanceof OtherAnswers) ?? failures[0] ?? new Error();
}

interface Attempt {
  graph: Made["graphs"][number];
  choices: Choices;
  /** How many answers of neighbours are taken. */
  flips: number;
}

/** A second time without the missing or unknown values that the first time went wrong with. */
async function writeNarrowed(made: Made, attempt: Attempt, options: Options): Promise<Checked> {
  try {
    return await writeOne(made, attempt, options);
  } catch (error) {
    const choices = error instanceof OtherAnswers ? narrowed(error) : undefined;
    if (!choices) throw error;
    return writeOne(made, { ...attempt, choices }, options);
  }
}

async function writeOne(
  made: Made,
  { graph, choices: given, flips }: Attempt,
  { models, identity, dataset }: Options,
): Promise<Checked> {
  const draft = await draftOf(made, graph, given);
  const choices = { ...given, withoutMissing: lostMissing(made, draft.manifest.features) };
  const bounds = choices.boundRanges ? (draft.manifest.features ?? []) : [];
  const cases = made.cases.filter((one) => isTaken(one, choices) && isWithin(one, bounds));
  let comparison: Comparison | undefined;
  const local = await writeVersion(
    models,
    { ...identity, ...draft.manifest, examples: [], metrics: [] },
    {
      artifact: {
        file: "model.onnx",
        ...(draft.graph.bytes ? { content: draft.graph.bytes } : { path: draft.graph.path }),
      },
      externalData: draft.graph.externalData.map((file) => ({
        path: join(dirname(draft.graph.path), file),
        file,
      })),
      assets: draft.assets,
    },
    async (version) => {
      comparison = await compareWithOriginal(
        version,
        cases,
        graph.scores === "probabilities" || graph.scores === "sigmoid",
      );
      if (comparison.mismatches.length > 0 || comparison.flips > flips)
        throw new OtherAnswers(comparison, choices);
      return withMetrics(await withExamples(version, cases), made, choices, dataset);
    },
  );
  const { changes } = draft.graph;
  return {
    local,
    comparison: comparison as Comparison,
    changes,
    choices,
    precision: graph.precision,
  };
}

/** The columns that the original takes without a value, and the manifest does not. */
function lostMissing({ features: read = [] }: Made, features: readonly Feature[] = []) {
  const refused = read.filter(
    ({ missing }, at) => missing !== undefined && features[at]?.missing === undefined,
  );
  return new Set(refused.map(({ name }) => name));
}

/** Without the columns whose missing or unknown values the graph takes otherwise. Undefined if other rows differ too. */
function narrowed({ comparison, choices }: OtherAnswers): Choices | undefined {
  const { mismatches } = comparison;
  const columns = (kind: Case["kind"]) =>
    mismatches.flatMap(({ case: one }) => (one.kind === kind && one.column ? [one.column] : []));
  const withoutMissing = new Set([...choices.withoutMissing, ...columns("missing")]);
  const knownOnly = new Set([...choices.knownOnly, ...columns("unknown")]);
  const next = { ...choices, withoutMissing, knownOnly };
  const rest = mismatches.filter(({ case: one }) => isTaken(one, next));
  const isChanged =
    withoutMissing.size + knownOnly.size > choices.withoutMissing.size + choices.knownOnly.size;
  return isChanged && rest.length === 0 ? next : undefined;
}

/** Whether a version made with these choices takes the input. */
function isTaken({ kind, row, column }: Case, { withoutMissing, knownOnly }: Choices): boolean {
  if (kind === "unknown" && column !== undefined) return !knownOnly.has(column);
  return hasValues(row, withoutMissing);
}

/** Whether no number is one that the manifest refuses. */
function isWithin({ row }: Case, features: readonly Feature[]): boolean {
  if (typeof row === "string") return true;
  return features.every(({ name, minimum = -Infinity, maximum = Infinity }) => {
    const value = row[name];
    return typeof value !== "number" || (value >= minimum && value <= maximum);
  });
}

function hasValues(row: Case["row"], columns: ReadonlySet<string>): boolean {
  return typeof row === "string" || [...columns].every((name) => row[name] !== null);
}

/** Rows of the user's data first, then one that misses a value. */
async function withExamples(version: LocalPackage, cases: readonly Case[]): Promise<LocalPackage> {
  const of = (kind: Case["kind"]) => cases.filter((one) => one.kind === kind);
  const chosen = [...of("data").slice(0, EXAMPLES - 1), ...of("random").slice(0, EXAMPLES - 1)];
  const inputs = [...chosen.slice(0, EXAMPLES - 1), ...of("missing").slice(0, 1)].map(
    ({ row }) => row,
  );
  const predictor = await openPredictor(version, "native");
  const examples = [];
  for (const input of inputs) examples.push({ input, output: await predictor.predict(input) });
  await writeExamples(version.folder, examples);
  return openPackage(version.models, version.manifest);
}

async function withMetrics(
  version: LocalPackage,
  { data }: Made,
  { withoutMissing }: Choices,
  dataset: string,
): Promise<Manifest> {
  const rows = data.filter(({ input }) => hasValues(input, withoutMissing));
  if (rows.length === 0) return version.manifest;
  const { metrics } = await evaluate(version, rows, { runtime: "native", k: 10 });
  const named = Object.entries(metrics).map(([name, value]) => ({
    name,
    value,
    dataset,
    rows: rows.length,
  }));
  return { ...version.manifest, metrics: named };
}

function inWords({ mismatches, cases }: Comparison): string {
  const rows = new Set(mismatches.map((one) => one.case));
  const shown = [...rows].slice(0, SHOWN).map((row) => {
    const own = mismatches.filter((one) => one.case === row);
    return `${placeOf(row)} ${JSON.stringify(row.row)}: ${reasonOf(own)}`;
  });
  return `The ONNX answers otherwise than the original for ${rows.size} of ${cases} inputs, so nothing was written. ${shown.join(". ")}.`;
}

function placeOf({ kind, at }: Case): string {
  return at === undefined ? `A row ${WHERE[kind]}` : `Row ${at + 1} of the data`;
}

const WHERE: Record<Case["kind"], string> = {
  random: "at random",
  split: "next to a split",
  category: "with each category",
  unknown: "with an unknown value",
  missing: "with a missing value",
  data: "of the data",
};

function reasonOf(found: readonly Mismatch[]): string {
  const [first] = found;
  const where =
    found.length > 1 ? "native and WASM" : first?.runtime === "wasm" ? "WASM" : "native";
  return `${first?.reason} (${where})`;
}
