import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { NearcastError } from "../functions/errors.ts";
import { exampleFiles, servedFiles, type PackageFile } from "../functions/model/manifest.ts";
import { shownExamples } from "../functions/model/shown.ts";
import { pointerKind } from "../functions/platform/onnx/file-kind.ts";
import { checkLabels } from "./check-labels.ts";
import { compareAnswers, SAME, worse, type Difference } from "./compare.ts";
import {
  EXAMPLES_FILE,
  hasUndeclaredExamples,
  readExamples,
  type Example,
} from "./examples/files.ts";
import { describeFailure } from "./failure.ts";
import { describeFirst, firstDifference } from "./first-difference.ts";
import { checkFit, measureFor, type Fit } from "./fit.ts";
import type { Measurement } from "./measure.ts";
import { MeasurementEnded } from "./measured.ts";
import { label, type LocalPackage } from "./package-folder.ts";
import { openPredictor, type RuntimeName } from "./predictor.ts";
import { DEFAULT_TOLERANCE } from "./verify-options.ts";

export interface VerifyOptions {
  runtimes: readonly RuntimeName[];
  /** Numbers may differ by this × max(1, |expected|). */
  tolerance: number;
  /** Take the answers of the first runtime for the examples that have none. */
  record: boolean;
  /** Longest time to load the version and run its examples, before it counts as one that never ends. */
  limitMs?: number;
}

export interface Verification {
  model: string;
  version: string;
  examples: number;
  /** Largest difference to the recorded answers, by runtime. */
  differences: Partial<Record<RuntimeName, number>>;
  /** Largest difference between the runtimes, when both ran. */
  betweenRuntimes: number | undefined;
  /** Where boxes or masks differ by what rounding may change: no difference between numbers shows it. */
  rounded: (RuntimeName | "between")[];
  /** With which operator they begin to differ, in a sentence. Undefined where they hardly do, or where no operator shows it. */
  beginning: string | undefined;
  fit: Fit[];
  /** What a native session holds. Undefined when native did not run. */
  sessionBytes: number | undefined;
  /** What native took to load and to run the examples. Undefined when native did not run, or took little. */
  peakBytes: number | undefined;
  /** WASM memory after load and run. Undefined when WASM did not run. */
  wasmBytes: number | undefined;
  /** The examples to write into the manifest, with their answers; undefined when it says all of this already. */
  recorded: Example[] | undefined;
}

/** Checks one local version. Throws an Error with the reason when the version must not be published. */
export async function verifyPackage(
  local: LocalPackage,
  { runtimes, tolerance, record, limitMs }: VerifyOptions,
): Promise<Verification> {
  const { manifest } = local;
  await checkFiles(local, servedFiles(manifest));
  // Recording writes the examples' files again, so they may have changed.
  if (!record) await checkFiles(local, exampleFiles(manifest));
  const given = await readExamples(local, { undeclared: record });
  if (given.length === 0) throw await withoutExamples(local);
  await checkLabels(local, given);
  // In a process of its own: a graph that loops for ever, or takes all memory, ends that one and not this one.
  // Any other failure is met again below, where its example is known.
  const measured = await measureFor(local, runtimes, limitMs).catch((error: Error) => {
    if (error instanceof MeasurementEnded) throw error;
    return error;
  });
  const answers = new Map<RuntimeName, unknown[]>();
  for (const runtime of runtimes)
    answers.set(
      runtime,
      measured instanceof Error
        ? await answerExamples(local, given, runtime, [...answers.keys()])
        : answersOf(measured[runtime], given),
    );

  const first = answers.get(runtimes[0] as RuntimeName) ?? [];
  const missing = given.filter(({ output }) => output === undefined).length;
  if (missing > 0 && !record)
    throw new Error(
      `${missing} of ${given.length} examples of ${label(manifest)} have no recorded output. Look at what the model answers and record it: nearcast verify ${label(manifest)} --record`,
    );
  const examples = given.map((example, index) => ({
    ...example,
    output: example.output === undefined ? first[index] : example.output,
  }));
  const expected = examples.map(({ output }) => output);

  const [native, wasm] = [answers.get("native"), answers.get("wasm")];
  const between = native && wasm && (await compareAll(native, wasm, tolerance));
  const beginning =
    between && between.largest > DEFAULT_TOLERANCE
      ? await beginningOf(local, given, native, wasm)
      : undefined;
  const differences: Verification["differences"] = {};
  const rounded: Verification["rounded"] = [];
  for (const [runtime, given] of answers) {
    const found = await compareAll(expected, given, tolerance);
    if (found.isRounded) rounded.push(runtime);
    differences[runtime] = accepted(
      found,
      `On ${runtime} the examples of ${label(manifest)} fail`,
      runtime === "wasm" ? beginning : undefined,
    );
  }
  if (between?.isRounded) rounded.push("between");
  const betweenRuntimes =
    between &&
    accepted(between, `Native and WASM answer ${label(manifest)} differently`, beginning);
  if (measured instanceof Error) throw measured;
  const sessionBytes = measured.native?.sessionBytes;
  const peakBytes = peakOf(measured.native);
  const wasmBytes = measured.wasm?.wasmBytes ?? (record ? await wasmOf(local, limitMs) : undefined);
  const { artifact } = manifest;
  const isUnmeasured =
    (sessionBytes !== undefined && artifact.sessionBytes === undefined) ||
    (peakBytes !== undefined && artifact.peakBytes === undefined) ||
    (wasmBytes !== undefined && artifact.wasmBytes === undefined);
  const isIncomplete = missing > 0 || isUnmeasured || (await isStale(given, local));
  return {
    model: manifest.name,
    version: manifest.version,
    examples: examples.length,
    differences,
    betweenRuntimes,
    rounded,
    beginning,
    fit: await checkFit(local, measured),
    sessionBytes,
    peakBytes,
    wasmBytes,
    recorded: record && isIncomplete ? examples : undefined,
  };
}

/** Whatever serves models has so much memory. */
const SMALL_PEAK = 128 * 1024 * 1024;

function peakOf(native: Measurement | undefined): number | undefined {
  return native && native.peakBytes >= SMALL_PEAK ? native.peakBytes : undefined;
}

/**
 * WASM memory of a version that is published for native alone: a Worker decides by it who answers. Undefined for one that
 * does not run on WASM, and for one whose manifest has it.
 */
async function wasmOf(
  local: LocalPackage,
  limitMs: number | undefined,
): Promise<number | undefined> {
  if (local.manifest.artifact.wasmBytes !== undefined) return undefined;
  const measured = await measureFor(local, ["wasm"], limitMs).catch(() => undefined);
  return measured?.wasm?.wasmBytes;
}

/** Whether the manifest must be written again: it has large examples, or lists other files than there are. */
async function isStale(examples: readonly Example[], local: LocalPackage): Promise<boolean> {
  const { manifest } = local;
  if (shownExamples(manifest.examples).length < manifest.examples.length) return true;
  if (examples.some(({ line }) => line) !== (manifest.examplesFile !== undefined)) return true;
  return checkFiles(local, exampleFiles(manifest)).then(
    () => false,
    () => true,
  );
}

async function withoutExamples(local: LocalPackage): Promise<Error> {
  const model = label(local.manifest);
  const record = `nearcast verify ${model} --record`;
  if (await hasUndeclaredExamples(local))
    return new Error(
      `${model} has examples in ${EXAMPLES_FILE}, which its manifest does not list. To list them: ${record}`,
    );
  return new Error(
    `${model} has no examples, so nothing shows that it answers alike everywhere. Put at least one {"input": …} under "examples" in its model.json, or a large one on a line of ${EXAMPLES_FILE} beside it. Then: ${record}`,
  );
}

const CHANGED =
  "It was changed after the manifest was written: bring it back, or add it as a new version.";

async function checkFiles(
  { folder, manifest }: LocalPackage,
  files: readonly PackageFile[],
): Promise<void> {
  for (const { file, sha256, bytes } of files) {
    const content = await readFile(join(folder, file)).catch(() => undefined);
    if (!content)
      throw new Error(`${label(manifest)} lacks its file ${file}. It must lie in ${folder}.`);
    const pointer = content.byteLength === bytes ? undefined : pointerKind(content);
    if (pointer)
      throw new Error(`${file} of ${label(manifest)} is ${pointer.what}. ${pointer.how}`);
    if (content.byteLength !== bytes)
      throw new Error(
        `${file} of ${label(manifest)} has ${content.byteLength} bytes, and its manifest says ${bytes}. ${CHANGED}`,
      );
    if (createHash("sha256").update(content).digest("hex") !== sha256)
      throw new Error(`${file} of ${label(manifest)} does not match its sha256. ${CHANGED}`);
  }
}

/** The measured process also ran the examples that are not listed yet, after the others. */
function answersOf(measurement: Measurement | undefined, examples: readonly Example[]): unknown[] {
  return (measurement?.answers ?? []).slice(0, examples.length);
}

/** Also proves that the runtime has every operator of the graph. It would refuse to load a graph with another one. */
async function answerExamples(
  local: LocalPackage,
  examples: readonly Example[],
  runtime: RuntimeName,
  others: readonly RuntimeName[],
): Promise<unknown[]> {
  const { manifest } = local;
  const predictor = await openPredictor(local, runtime);
  const answers: unknown[] = [];
  for (const [index, { input }] of examples.entries())
    try {
      // As JSON, as a client gets it.
      answers.push(JSON.parse(JSON.stringify(await predictor.predict(input))));
    } catch (cause) {
      const unloadable = cause instanceof NearcastError && cause.code !== "invalid_input";
      const where = unloadable ? "" : `Example ${index}: `;
      const help =
        unloadable && others.includes("native")
          ? " It runs on native: --runtime native publishes it for Lambda and Node alone."
          : "";
      throw new Error(
        `${label(manifest)} does not run on ${runtime}. ${where}${describeFailure(cause)}${help}`,
        { cause },
      );
    }
  return answers;
}

async function compareAll(
  expected: readonly unknown[],
  actual: readonly unknown[],
  tolerance: number,
): Promise<Difference> {
  let found = SAME;
  for (const [index, output] of expected.entries()) {
    const path = `examples[${index}].output`;
    found = worse(found, await compareAnswers(output, actual[index], tolerance, path));
  }
  return found;
}

function accepted({ largest, mismatch }: Difference, what: string, why?: string): number {
  if (mismatch !== undefined)
    throw new Error(
      `${what}: ${mismatch} (largest difference ${largest}).${why === undefined ? "" : ` ${why}`}`,
    );
  return largest;
}

/** Looks at the example whose answers differ most. */
async function beginningOf(
  local: LocalPackage,
  examples: readonly Example[],
  native: readonly unknown[],
  wasm: readonly unknown[],
): Promise<string | undefined> {
  const compared = await Promise.all(
    native.map((answer, row) => compareAnswers(answer, wasm[row], Infinity)),
  );
  const sizes = compared.map(({ largest }) => largest);
  const input = examples[sizes.indexOf(Math.max(...sizes))]?.input;
  const first = await firstDifference(local, input).catch(() => undefined);
  return first && describeFirst(first);
}
