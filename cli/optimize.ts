import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession } from "../functions/runtime/native-ort.ts";
import { exampleFiles, type Manifest } from "../functions/model/manifest.ts";
import { compareAnswers } from "./compare.ts";
import { describeFailure } from "./failure.ts";
import type { Measurement } from "./measure.ts";
import { measurePackage } from "./measured.ts";
import { packageBytes } from "./fit.ts";
import type { LocalPackage } from "./package-folder.ts";
import { writeVersion, type VersionFiles } from "./write-version.ts";

/** A way to store the same model, and its costs on Workers. */
export interface Variant {
  how: string;
  bytes: number;
  /** The time to create a session on WASM, the median of several. */
  createMs: number;
  /** The first creation in a process, with ONNX Runtime's own start. */
  coldLoadMs: number;
  wasmBytes: number;
  /** What a native session holds. */
  sessionBytes: number;
  /** Largest difference to the original's answers, native and WASM. */
  difference: number;
  files: VersionFiles;
}

/** A way that cannot be used, with the reason. */
export interface Refused {
  how: string;
  reason: string;
}

const RUNS = 3;
/** Below this size, weights in their own file cost a request and save nothing measurable. */
const EXTERNAL_FROM_BYTES = 1024 * 1024;
const WEIGHTS_FILE = "model.data";

type Recipe = { how: string; file: string; external: boolean };

/**
 * Tries other ways to store the model, and measures each in its own processes. `keep` gets the original and the
 * variants while their files still exist.
 */
export async function optimizePackage<T>(
  local: LocalPackage,
  tolerance: number,
  keep: (original: Variant, variants: Variant[], refused: Refused[]) => Promise<T>,
): Promise<T> {
  const work = await mkdtemp(join(tmpdir(), "nearcast-optimize-"));
  try {
    const before = await measure(local);
    const native = await measurePackage(local, "native");
    const original = variant("as it is", local, before, native, 0, filesOf(local));
    const variants: Variant[] = [];
    const refused: Refused[] = [];
    for (const recipe of recipesFor(local.manifest)) {
      try {
        const folder = join(work, String(variants.length + refused.length));
        const files = await optimizeGraph(local, folder, recipe);
        const { artifact: _artifact, assets: _assets, schema: _schema, ...draft } = local.manifest;
        const made = await writeVersion(folder, draft, files, async (one) => one.manifest);
        const after = await measure(made);
        const afterNative = await measurePackage(made, "native");
        const difference = Math.max(
          await differenceOf(before.answers, after.answers, tolerance),
          await differenceOf(native.answers, afterNative.answers, tolerance),
        );
        variants.push(variant(recipe.how, made, after, afterNative, difference, files));
      } catch (error) {
        refused.push({ how: recipe.how, reason: describeFailure(error) });
      }
    }
    return await keep(original, variants, refused);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * The variant worth keeping: less memory, or the same memory and a clearly faster start, in files that are hardly larger.
 * Undefined if none helps.
 */
export function bestVariant(original: Variant, variants: readonly Variant[]): Variant | undefined {
  return variants
    .filter((one) => !grows(one, original) && isBetter(one, original))
    .reduce<Variant | undefined>(
      (best, one) => (!best || isBetter(one, best) ? one : best),
      undefined,
    );
}

/** Whether a variant's files are so much larger that it is no smaller model, whatever memory it saves. */
export function grows(one: Variant, original: Variant): boolean {
  return one.bytes > original.bytes * 1.1;
}

/**
 * Memory while a Worker loads it must fall by 5 %. A start must be faster by a fifth and by 5 ms, because other work
 * disturbs the measurement.
 */
function isBetter(one: Variant, other: Variant): boolean {
  const [need, before] = [one.wasmBytes + one.bytes, other.wasmBytes + other.bytes];
  if (grows(one, other)) return false;
  if (need < before * 0.95) return true;
  const faster = one.createMs < other.createMs * 0.8 && one.createMs < other.createMs - 5;
  return faster && need <= before;
}

function recipesFor(manifest: Manifest): Recipe[] {
  const external = { how: "optimised graph, weights apart", file: "model.onnx", external: true };
  // A model with separate weights would only grow if they went back into the graph.
  if (manifest.artifact.externalData) return [external];
  return [
    { how: "optimised graph", file: "model.onnx", external: false },
    { how: "optimised graph in ORT format", file: "model.ort", external: false },
    ...(manifest.artifact.bytes >= EXTERNAL_FROM_BYTES ? [external] : []),
  ];
}

/** "extended" is the highest level whose graphs run everywhere; "all" writes for one processor. */
async function optimizeGraph(
  { folder, manifest }: LocalPackage,
  target: string,
  { file, external }: Recipe,
): Promise<VersionFiles> {
  const made = join(target, "graph");
  await mkdir(made, { recursive: true });
  const path = join(made, file);
  const session = await InferenceSession.create(join(folder, manifest.artifact.file), {
    executionProviders: ["cpu"],
    logSeverityLevel: 4,
    graphOptimizationLevel: "extended",
    optimizedModelFilePath: path,
    ...(external && {
      extra: {
        session: {
          optimized_model_external_initializers_file_name: WEIGHTS_FILE,
          optimized_model_external_initializers_min_size_in_bytes: "1024",
        },
      },
    }),
  });
  await session.release();
  const weights = join(made, WEIGHTS_FILE);
  const apart = external && (await stat(weights).catch(() => undefined));
  return {
    ...filesOf({ folder, manifest }),
    artifact: { path, file },
    externalData: apart ? [{ path: weights, file: WEIGHTS_FILE }] : [],
  };
}

function filesOf({ folder, manifest }: Pick<LocalPackage, "folder" | "manifest">): VersionFiles {
  const source = ({ file }: { file: string }) => ({ path: join(folder, file), file });
  return {
    artifact: source(manifest.artifact),
    externalData: (manifest.artifact.externalData ?? []).map(source),
    assets: (manifest.assets ?? []).map(source),
    examples: exampleFiles(manifest).map(source),
  };
}

async function measure(local: LocalPackage): Promise<Measurement> {
  const runs: Measurement[] = [];
  for (let run = 0; run < RUNS; run++) runs.push(await measurePackage(local, "wasm"));
  const median = (of: (one: Measurement) => number): number =>
    runs.map(of).toSorted((a, b) => a - b)[Math.floor(RUNS / 2)] ?? 0;
  return {
    ...(runs[0] as Measurement),
    createMs: median(({ createMs }) => createMs),
    coldLoadMs: median(({ coldLoadMs }) => coldLoadMs),
  };
}

function variant(
  how: string,
  { manifest }: LocalPackage,
  { createMs, coldLoadMs, wasmBytes }: Measurement,
  { sessionBytes }: Measurement,
  difference: number,
  files: VersionFiles,
): Variant {
  const bytes = packageBytes(manifest);
  return { how, bytes, createMs, coldLoadMs, wasmBytes, sessionBytes, difference, files };
}

async function differenceOf(before: unknown, after: unknown, tolerance: number): Promise<number> {
  const { largest, mismatch } = await compareAnswers(before, after, tolerance, "examples");
  if (mismatch !== undefined) throw new Error(`it answers differently: ${mismatch}`);
  return largest;
}
