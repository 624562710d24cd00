import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Command } from "commander";
import { exampleFiles, type Manifest, type PackageFile } from "../../functions/model/manifest.ts";
import { compareAnswers, worse } from "../compare.ts";
import { readRows } from "../evaluate/data.ts";
import { evaluate, type Evaluation } from "../evaluate/evaluate.ts";
import { readExamples, writeExamples } from "../examples/files.ts";
import { packageBytes } from "../fit.ts";
import { modelsOption } from "../options.ts";
import {
  label,
  nextVersion,
  openPackage,
  parseReference,
  type LocalPackage,
} from "../package-folder.ts";
import { openPredictor, type RuntimeName } from "../predictor.ts";
import { quantizeInt8 } from "../quantize.ts";
import { writeVersion } from "../write-version.ts";

interface Flags {
  int8: true;
  data?: string;
  models: string;
  version?: string;
}

/** `nearcast quantize <model[@version]> --int8`. */
export function quantizeCommand(program: Command): void {
  program
    .command("quantize <model>")
    .description(
      "make a version with INT8 weights (dynamic quantisation by ONNX Runtime; needs python3), and compare it with the original",
    )
    .requiredOption("--int8", "8-bit integers")
    .option("--data <file>", "labelled data to judge both versions by (default: the examples)")
    .option("--version <version>", "the new version's name (default: the next free number)")
    .addOption(modelsOption())
    .action(async (reference: string, flags: Flags) => {
      const local = await openPackage(flags.models, parseReference(reference));
      if (local.manifest.artifact.file.endsWith(".ort"))
        throw new Error(`${label(local.manifest)} is in ORT format; quantise the ONNX file.`);
      const rows = flags.data && (await readRows(flags.data, local.manifest));
      const work = await mkdtemp(join(tmpdir(), "nearcast-quantize-"));
      try {
        const made = await writeQuantized(local, flags, join(work, "model.onnx"));
        console.log(`${label(made.manifest)} is in ${made.folder}.`);
        console.log(`  bytes ${packageBytes(local.manifest)} → ${packageBytes(made.manifest)}`);
        if (rows) {
          const judge = async (one: LocalPackage, runtime: RuntimeName): Promise<Evaluation> =>
            evaluate(one, rows, { runtime, k: 10 });
          const before = await judge(local, "native");
          const [native, wasm] = [await judge(made, "native"), await judge(made, "wasm")];
          for (const [name, value] of Object.entries(before.metrics))
            console.log(
              `  ${name} ${value.toFixed(4)} → ${native.metrics[name]?.toFixed(4)} native, ${wasm.metrics[name]?.toFixed(4)} WASM (${basename(flags.data ?? "")}, ${before.rows} rows)`,
            );
        }
        const answers = await exampleAnswers(local, made);
        for (const line of answers) console.log(`  ${line}`);
        console.log(
          `INT8 answers differ between processors: verify it with a --tolerance, such as 0.05.\nnearcast verify ${label(made.manifest)} --record --tolerance 0.05`,
        );
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    });
}

async function writeQuantized(
  { folder, manifest }: LocalPackage,
  flags: Flags,
  target: string,
): Promise<LocalPackage> {
  await quantizeInt8(join(folder, manifest.artifact.file), target);
  const { artifact: _artifact, assets = [], schema: _schema, ...rest } = manifest;
  const source = ({ file }: PackageFile) => ({ path: join(folder, file), file });
  return writeVersion(
    flags.models,
    {
      ...rest,
      version: flags.version ?? (await nextVersion(flags.models, manifest.name)),
      // These were the original's.
      metrics: [],
    },
    {
      artifact: { path: target, file: "model.onnx" },
      externalData: [],
      assets: assets.map(source),
      examples: exampleFiles(manifest).map(source),
    },
    async (made) => withMetrics(await withoutOutputs(made), flags.data),
  );
}

/** Examples keep only their inputs. The outputs were the original's. */
async function withoutOutputs(made: LocalPackage): Promise<LocalPackage> {
  const examples = await readExamples(made);
  await writeExamples(
    made.folder,
    examples.map(({ output: _output, ...example }) => example),
  );
  return openPackage(made.models, made.manifest);
}

/** Also proves that the new version runs, before it gets its place. */
async function withMetrics(made: LocalPackage, data: string | undefined): Promise<Manifest> {
  const { manifest } = made;
  await answersOf(made, "native");
  await answersOf(made, "wasm");
  if (data === undefined) return manifest;
  const rows = await readRows(data, manifest);
  const { metrics } = await evaluate(made, rows, { runtime: "native", k: 10 });
  return {
    ...manifest,
    metrics: Object.entries(metrics).map(([name, value]) => ({
      name,
      value,
      dataset: basename(data),
      rows: rows.length,
    })),
  };
}

async function exampleAnswers(before: LocalPackage, after: LocalPackage): Promise<string[]> {
  const original = await answersOf(before, "native");
  const native = await answersOf(after, "native");
  const wasm = await answersOf(after, "wasm");
  return [
    `original and INT8: ${await differences(original, native)}`,
    `INT8 native and WASM: ${await differences(native, wasm)}`,
  ];
}

async function differences(left: readonly unknown[], right: readonly unknown[]): Promise<string> {
  const compared = await Promise.all(
    left.map((answer, row) => compareAnswers(answer, right[row], Infinity)),
  );
  const changed = compared.filter(({ mismatch }) => mismatch !== undefined).length;
  return `largest difference ${compared.reduce(worse, { largest: 0 }).largest}, another label in ${changed} of ${left.length} examples`;
}

async function answersOf(local: LocalPackage, runtime: RuntimeName): Promise<unknown[]> {
  const predictor = await openPredictor(local, runtime);
  const answers: unknown[] = [];
  for (const { input } of await readExamples(local)) answers.push(await predictor.predict(input));
  return answers;
}
