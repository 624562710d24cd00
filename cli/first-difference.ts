import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { createNodePlatform } from "../functions/platform/node.ts";
import {
  readOnnx,
  writeOnnx,
  type OnnxModel,
  type OnnxNode,
  type OnnxValue,
} from "../functions/platform/onnx/model.ts";
import { messageOf } from "../functions/platform/onnx/proto.ts";
import { InferenceSession } from "../functions/runtime/native-ort.ts";
import type { Runtime } from "../functions/runtime/types.ts";
import type { Tensor, Tensors } from "../functions/tensor.ts";
import { nativeApart } from "./native-apart.ts";
import { EIGHT_BITS } from "./next-steps.ts";
import type { LocalPackage } from "./package-folder.ts";
import { openPredictor } from "./predictor.ts";

/** The operator whose results first differ between native and WASM. */
export interface FirstDifference {
  operator: string;
  /** The name of its first result. */
  result: string;
  /** Largest difference of its results, as a share of their largest number. */
  difference: number;
  /** The same of what it takes. */
  before: number;
}

/** Sums of floats in another order differ by less. */
const ROUNDING = 1e-4;

/**
 * Runs an input on native and on WASM with all results of the graph as outputs, and finds the first operator that takes
 * nearly the same on both and gives something else. Undefined where there is none. The graph is the one that native
 * ONNX Runtime makes of the file, in which operators are joined.
 */
export async function firstDifference(
  local: LocalPackage,
  input: unknown,
): Promise<FirstDifference | undefined> {
  const model = readOnnx(await optimised(local));
  const { graph } = model;
  if (!graph) return undefined;
  const { runs } = await (await openPredictor(local, "native")).see([input]);
  const [run] = runs;
  if (!run) return undefined;
  const names = exposeAll(model);
  const bytes = writeOnnx(model);
  const wasm = createNodePlatform({ STORE: local.models, RUNTIME: "wasm" }).runtime();
  // Some graphs crash native code when it must keep all results.
  const results = [await resultsOf(nativeApart(), bytes, run.feeds, names)];
  results.push(await resultsOf(await wasm, bytes, run.feeds, names));
  return firstOf(graph.node, results as [Tensors, Tensors]);
}

/** Says where it begins, and which form does not differ. */
export function describeFirst({ operator, result, difference }: FirstDifference): string {
  const begins = `It begins at the operator ${operator}: it takes the same on both, and its result ${result} differs by ${(difference * 100).toPrecision(2)} % of the largest number.`;
  return EIGHT_BITS.test(operator)
    ? `${begins} Runtimes and processors round 8-bit numbers differently. nearcast quantize --int8 --form weights makes a form of the original on which they agree; --tolerance takes this one.`
    : begins;
}

async function resultsOf(
  runtime: Runtime,
  bytes: Uint8Array,
  feeds: Tensors,
  names: readonly string[],
): Promise<Tensors> {
  const session = await runtime.load({ bytes });
  try {
    return await session.run(feeds, names);
  } finally {
    await session.release();
  }
}

async function optimised({ folder, manifest }: LocalPackage): Promise<Uint8Array> {
  const work = await mkdtemp(join(tmpdir(), "nearcast-difference-"));
  try {
    const path = join(work, "model.onnx");
    const session = await InferenceSession.create(join(folder, manifest.artifact.file), {
      executionProviders: ["cpu"],
      logSeverityLevel: 4,
      // What runs everywhere.
      graphOptimizationLevel: "extended",
      optimizedModelFilePath: path,
    });
    await session.release();
    return await readFile(path);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Makes each result an output, and gives their names. */
function exposeAll({ graph }: OnnxModel): string[] {
  const names = (graph?.node ?? []).flatMap(({ output }) => output.filter((name) => name !== ""));
  const declared = new Set(graph?.output.map(({ name }) => name));
  graph?.output.push(...names.filter((name) => !declared.has(name)).map(untyped));
  return names;
}

/** ONNX Runtime finds its type. */
function untyped(name: string): OnnxValue {
  return create(messageOf("ValueInfoProto"), { name }) as unknown as OnnxValue;
}

function firstOf(
  nodes: readonly OnnxNode[],
  [native, wasm]: readonly [Tensors, Tensors],
): FirstDifference | undefined {
  const largest = (names: readonly string[]) =>
    Math.max(0, ...names.map((name) => differenceOf(native[name], wasm[name])));
  for (const { opType, input, output } of nodes) {
    const [difference, before] = [largest(output), largest(input)];
    if (difference > ROUNDING && before <= ROUNDING)
      return { operator: opType, result: output[0] ?? "", difference, before };
  }
  return undefined;
}

/** As a share of the largest number. 0 for what only one of them has, and for texts. */
function differenceOf(one: Tensor | undefined, other: Tensor | undefined): number {
  if (!one || !other) return 0;
  let [largest, size] = [0, 0];
  for (let at = 0; at < one.data.length; at++) {
    const [a, b] = [Number(one.data[at]), Number(other.data[at])];
    if (!Number.isFinite(a) || !Number.isFinite(b)) continue;
    largest = Math.max(largest, Math.abs(a - b));
    size = Math.max(size, Math.abs(a));
  }
  return size === 0 ? 0 : largest / size;
}
