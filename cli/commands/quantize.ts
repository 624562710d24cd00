import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Option, type Command } from "commander";
import { exampleFiles, type Manifest, type PackageFile } from "../../functions/model/manifest.ts";
import { writeCalibration } from "../calibration.ts";
import { readRows, type Row } from "../evaluate/data.ts";
import { readExamples, writeExamples } from "../examples/files.ts";
import { packageBytes } from "../fit.ts";
import { judgeForm, type Judgement } from "../judge-form.ts";
import { isInEightBits } from "../next-steps.ts";
import { modelsOption } from "../options.ts";
import {
  label,
  nextVersion,
  openPackage,
  parseReference,
  type LocalPackage,
} from "../package-folder.ts";
import { INT8_FORMS, quantizeInt8, type Int8Form } from "../quantize.ts";
import { DEFAULT_TOLERANCE } from "../verify-options.ts";
import { writeVersion } from "../write-version.ts";

/** With more, verify would find nothing. */
const TOLERANCES = [DEFAULT_TOLERANCE, 0.001, 0.005, 0.02, 0.05, 0.1, 0.2];

interface Flags {
  int8: true;
  form: Exclude<Int8Form, "static">;
  calibrate?: string;
  data?: string;
  models: string;
  version?: string;
}

/** `nearcast quantize <model[@version]> --int8`. */
export function quantizeCommand(program: Command): void {
  program
    .command("quantize <model>")
    .description(
      "make a version with 8-bit weights, each channel with a scale (needs python3), and compare it with the original",
    )
    .requiredOption("--int8", "8-bit integers")
    .addOption(
      new Option(
        "--form <name>",
        "rows: fast on native, and the same answers in every batch; weights: also the same on every runtime; dynamic: fastest on WASM, and answers depend on their batch",
      )
        .choices(INT8_FORMS)
        .default("rows"),
    )
    .addOption(
      new Option(
        "--calibrate <file>",
        "for convolutions: 8-bit sums too, whose ranges are measured once on the inputs of this file",
      ).conflicts("form"),
    )
    .option("--data <file>", "data to judge both versions by (default: the examples)")
    .option("--version <version>", "the new version's name (default: the next free number)")
    .addOption(modelsOption())
    .action(async (reference: string, flags: Flags) => {
      const local = await openPackage(flags.models, parseReference(reference));
      if (local.manifest.artifact.file.endsWith(".ort"))
        throw new Error(`${label(local.manifest)} is in ORT format; quantise the ONNX file.`);
      if (await isInEightBits(local))
        throw new Error(
          `${label(local.manifest)} is quantised already. Quantise the version that it was made of.`,
        );
      const work = await mkdtemp(join(tmpdir(), "nearcast-quantize-"));
      try {
        await quantize(local, flags, work);
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    });
}

async function quantize(local: LocalPackage, flags: Flags, work: string): Promise<void> {
  const { manifest } = local;
  const optional = { labels: "optional" } as const;
  const rows = flags.data
    ? await readRows(flags.data, manifest, optional)
    : (await readExamples(local)).map(asRow);
  const calibration = flags.calibrate && join(work, "calibration");
  const measured =
    flags.calibrate && calibration
      ? await writeCalibration(
          local,
          await readRows(flags.calibrate, manifest, optional),
          calibration,
        )
      : 0;
  const form = flags.calibrate === undefined ? flags.form : "static";
  const target = join(work, "model.onnx");
  await quantizeInt8(form, join(local.folder, manifest.artifact.file), target, calibration);
  await checkSmaller(manifest, target);
  const source = flags.data ? basename(flags.data) : "examples";
  const { made, judgement } = await writeQuantized(local, flags, target, rows, source);
  const about = {
    rows: "8-bit weights, and 8-bit sums of each row where the runtime has them",
    weights: "8-bit weights, and sums of floats",
    dynamic: "8-bit weights and sums, whose ranges each run measures",
    static: `8-bit weights and sums, whose ranges were measured on ${measured} rows of ${basename(flags.calibrate ?? "")}`,
  }[form];
  console.log(`${label(made.manifest)} is in ${made.folder}: ${about}.`);
  console.log(`  bytes ${packageBytes(manifest)} → ${packageBytes(made.manifest)}`);
  for (const line of judgement.lines) console.log(`  ${line}`);
  if (!flags.data)
    console.log("Examples say little: --data with real inputs shows what changed for them.");
  if (form === "dynamic")
    console.log(
      "An answer of this form depends on the other rows of its run. It does not with --form rows, --form weights or --calibrate.",
    );
  const floats = form === "weights" ? "" : " With --form weights they agree.";
  const between = TOLERANCES.find((one) => one >= 2 * judgement.betweenRuntimes);
  if (between === undefined)
    return console.log(
      `Native and WASM answer too differently: no tolerance makes sense, and this form should not be used.${floats}`,
    );
  if (between > DEFAULT_TOLERANCE)
    console.log(
      `Native and WASM sum 8-bit numbers differently, and so may other processors: verify it with a --tolerance.${floats}`,
    );
  const tolerance = between === DEFAULT_TOLERANCE ? "" : ` --tolerance ${between}`;
  console.log(`nearcast verify ${label(made.manifest)} --record${tolerance}`);
}

/** Small tensors take less room as they are. */
async function checkSmaller({ artifact }: Manifest, target: string): Promise<void> {
  const before = [artifact, ...(artifact.externalData ?? [])].reduce(
    (sum, { bytes }) => sum + bytes,
    0,
  );
  const { size } = await stat(target);
  if (size >= before)
    throw new Error(
      `The model would grow from ${before} bytes to ${size}, so nothing is won by quantising it.`,
    );
}

function asRow({ input }: { input: unknown }, index: number): Row {
  return { input, label: undefined, line: index + 1 };
}

async function writeQuantized(
  local: LocalPackage,
  flags: Flags,
  target: string,
  rows: readonly Row[],
  data: string,
): Promise<{ made: LocalPackage; judgement: Judgement }> {
  const { folder, manifest } = local;
  const { artifact: _artifact, assets = [], schema: _schema, ...rest } = manifest;
  const source = ({ file }: PackageFile) => ({ path: join(folder, file), file });
  let judgement: Judgement | undefined;
  const made = await writeVersion(
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
    async (fresh) => {
      const own = await withoutOutputs(fresh);
      // Also proves that the new version runs, before it gets its place.
      judgement = await judgeForm(local, own, rows, data);
      return { ...own.manifest, metrics: judgement.metrics };
    },
  );
  return { made, judgement: judgement as Judgement };
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
