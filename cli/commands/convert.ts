import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { Command } from "commander";
import { report } from "../add/report.ts";
import { newIdentity } from "../add/version.ts";
import { writeChecked, type Checked } from "../convert/checked-version.ts";
import { TOLERANCE } from "../convert/differences.ts";
import { sourceKind } from "../convert/file-kind.ts";
import { isNetwork, pythonReport } from "../convert/python-report.ts";
import { convertNetwork, networkInputs, type NetworkFlags } from "../convert/network.ts";
import { made as madeSchema, type Case, type Made } from "../convert/report.ts";
import { withTaskOptions } from "./add.ts";
import { commas, modelsOption, positiveInteger } from "../options.ts";

interface Flags extends NetworkFlags {
  data?: string;
  target?: string;
  bounds?: true;
}

/** `nearcast convert <path> --name <model>`. */
export function convertCommand(program: Command): void {
  const command = program
    .command("convert <path>")
    .description(
      "make a package of a model as it was trained: scikit-learn's skops, joblib or pickle file, XGBoost's .json or .ubj, LightGBM's text, CatBoost's .cbm, PyTorch's .pt2, a module of PyTorch with --module, Keras 3's .keras, or a folder of Hugging Face with safetensors or of TensorFlow's SavedModel. Compares its answers with the original's on native and WASM, and refuses what differs (needs python3)",
    )
    .requiredOption("--name <model>", "the model's name")
    .option("--version <version>", "the version's name (default: the next free number)")
    .option(
      "--trust",
      "load a joblib, pickle or .pt2 file, a module, or a model of Keras or TensorFlow with code of its own, which runs that code: only from people whom you would let run a program here",
    )
    .option(
      "--module <package.module:name>",
      "a module of PyTorch, or what makes one. The path is the folder to import it from, or a file there with its weights: .safetensors, or a state_dict",
    )
    .option("--signature <name>", "which function of a SavedModel, where it has several")
    .option(
      "--inputs <file or shapes>",
      "what a network takes: a .npz or .json file with an array for each input, or shapes without the batch, such as 3x224x224",
      networkInputs,
    )
    .option(
      "--data <file>",
      "the data it was trained on, .csv or .parquet: rows to compare on, names, ranges",
    )
    .option("--target <column>", "what the model predicts, for metrics on the data")
    .option(
      "--features <names>",
      "the columns' names in order, where the model does not have them",
      commas,
    )
    .option(
      "--labels <names>",
      "names for a classifier's classes, or for the numbers of a regression of several, in their order",
      commas,
    )
    .option("--bounds", "refuse numbers below and above those of the data")
    .option(
      "--with <package>",
      "a further Python package, or another version: scikit-learn==1.7.2 (may be repeated)",
      (name: string, names: string[]) => [...names, name],
      [],
    )
    .option("--memory <MB>", "the most memory for reading the model", positiveInteger, 4096)
    .option("--seconds <number>", "the longest time for reading the model", positiveInteger, 300)
    .option("--description <text>", "what the model does")
    .option("--license <name>", "its licence, such as Apache-2.0")
    .addOption(modelsOption());
  withTaskOptions(command).action(convert);
}

async function convert(path: string, flags: Flags): Promise<void> {
  const { models, data, target } = flags;
  const identity = await newIdentity(flags);
  if (target !== undefined && data === undefined)
    throw new Error("--target names a column of --data, which is not given.");
  if (flags.bounds && data === undefined)
    throw new Error("--bounds takes the bounds from --data, which is not given.");
  const kind = flags.module === undefined ? await sourceKind(path) : "torch";
  if (isNetwork(kind)) return convertNetwork(path, kind, flags);
  const stray = flags.signature === undefined ? networkFlag(flags) : "--signature";
  if (stray !== undefined)
    throw new Error(`${stray} is for a network, and ${path} says itself what it needs.`);
  if (kind === "pickle" && !flags.trust)
    throw new Error(
      `${path} is a pickle (joblib makes them too), and loading one runs code that is in it. If you trust who made it, say --trust. Without code it is saved by skops: skops.io.dump(model, "model.skops")`,
    );
  const folder = await mkdtemp(join(tmpdir(), "nearcast-convert-"));
  try {
    const job = {
      path: resolve(path),
      kind,
      trust: flags.trust ?? false,
      data: data === undefined ? null : resolve(data),
      target: target ?? null,
      features: flags.features ?? null,
      labels: flags.labels ?? null,
    };
    const made = await pythonReport(job, {
      schema: madeSchema,
      packages: flags.with,
      inside: [],
      memoryMb: flags.memory,
      seconds: flags.seconds,
      folder,
    });
    const checked = await writeChecked(made, {
      models,
      identity: {
        ...identity,
        description: flags.description ?? `Converted from ${basename(path)}: ${made.about}.`,
        ...(flags.license !== undefined && { license: flags.license }),
      },
      dataset: basename(data ?? ""),
      choices: {
        folder: made.folder,
        boundRanges: flags.bounds ?? false,
        withoutMissing: new Set(),
        knownOnly: new Set(),
      },
    });
    for (const line of findings(made, checked, flags)) console.log(line);
    console.log(report(checked.local, checked.changes));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The first flag that a table would pay no heed to: what a model that is no network has by itself. */
function networkFlag(flags: Flags): string | undefined {
  const { options } = withTaskOptions(new Command());
  const stray = options.find((one) => flags[one.attributeName() as keyof Flags] !== undefined);
  return flags.inputs === undefined ? stray?.long : "--inputs";
}

function findings(
  made: Made,
  { comparison, choices, precision, local }: Checked,
  { data, target }: Flags,
): string[] {
  const { largest, ties, flips, cases } = comparison;
  const { withoutMissing, knownOnly } = choices;
  const isClassifier = made.labels !== null && made.task === undefined;
  const mayMiss = (local.manifest.features ?? []).filter(({ missing }) => missing !== undefined);
  return [
    `Read: ${made.about}.`,
    `Compared ${cases} inputs (${counts(made.cases)}) with the original on native and WASM: ${isClassifier ? "the same labels, " : ""}numbers within ${largest.toPrecision(2)} (allowed: ${TOLERANCE}${isClassifier ? "" : " of their size or spread"}).`,
    ...(isClassifier && isOneLabel(made.cases)
      ? ["The original gives all of them the same label: give --data, so that they show more."]
      : []),
    ...(ties > 0
      ? [
          `For ${ties} of them the original has no preference between two answers, and the ONNX gives the other one.`,
        ]
      : []),
    ...(flips > 0
      ? [
          `${flips} inputs right next to a jump of the original are answered as their neighbour, which differs in the last digit of float32.`,
        ]
      : []),
    ...(precision === "double"
      ? [
          "Its inputs are float64, since rows next to a split would be answered otherwise with float32.",
        ]
      : []),
    ...(mayMiss.length > 0
      ? [`May be missing: ${mayMiss.map(({ name }) => name).join(", ")}.`]
      : []),
    ...(withoutMissing.size > 0
      ? [
          `Refused when missing, since the ONNX would answer otherwise than the original: ${[...withoutMissing].join(", ")}.`,
        ]
      : []),
    ...(knownOnly.size > 0
      ? [
          `Unknown values are refused, since the ONNX would answer otherwise: ${[...knownOnly].join(", ")}.`,
        ]
      : []),
    ...local.manifest.metrics.map(
      ({ name, value, dataset, rows }) =>
        `  ${name} ${value.toFixed(4)} (${dataset}, ${rows} rows)`,
    ),
    ...(data !== undefined && target === undefined
      ? ["For metrics, say which column it predicts: --target"]
      : []),
  ];
}

function isOneLabel(cases: readonly Case[]): boolean {
  return (
    new Set(cases.map(({ expected: { label, labels } }) => label ?? String(labels))).size === 1
  );
}

const WORDS: Record<Case["kind"], string> = {
  random: "random",
  split: "next to splits",
  category: "of each category",
  unknown: "with unknown values",
  missing: "with missing values",
  data: "of the data",
};

function counts(cases: readonly Case[]): string {
  return Object.entries(WORDS)
    .map(([kind, words]) => [cases.filter((one) => one.kind === kind).length, words] as const)
    .filter(([count]) => count > 0)
    .map((pair) => pair.join(" "))
    .join(", ");
}
