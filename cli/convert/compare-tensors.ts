import { join } from "node:path";
import { DATATYPES, type Tensor } from "../../functions/tensor.ts";
import { toJsonValues } from "../../functions/wire/json-tensor.ts";
import { toNested } from "../../functions/wire/nested.ts";
import { draftForTask } from "../add/from-file.ts";
import type { GivenExample } from "../add/given-files.ts";
import { describeFailure } from "../failure.ts";
import type { LocalPackage } from "../package-folder.ts";
import { openPredictor, type RuntimeName } from "../predictor.ts";
import { writeVersion } from "../write-version.ts";
import { TOLERANCE } from "./differences.ts";
import type { Network } from "./report.ts";

const RUNTIMES: readonly RuntimeName[] = ["native", "wasm"];
const SHOWN = 3;
/** Numbers of an example that people still read. */
const EXAMPLE_NUMBERS = 1000;

type Case = Network["cases"][number];
type Described = Case["inputs"];

interface Compared {
  /** The largest difference between two numbers. */
  largest: number;
  /** How many inputs there were, in all batches. */
  rows: number;
}

/**
 * Asks the graph for the original's answers, on native and WASM, as a model of the task `tensor` in a folder of its own.
 * Throws an Error that says for which inputs they differ, and by how much.
 */
export async function compareTensors(
  graph: string,
  cases: readonly Case[],
  folder: string,
): Promise<Compared> {
  const draft = await draftForTask(graph, "tensor");
  const about = { name: "compared", version: "1", description: "", examples: [], metrics: [] };
  let found: Compared | undefined;
  await writeVersion(
    join(folder, "compared"),
    { ...about, ...draft.manifest, batchDimension: null },
    { artifact: { file: "model.onnx", path: graph }, externalData: [], assets: [] },
    async (local) => {
      found = await compare(local, cases);
      return local.manifest;
    },
  );
  return found as Compared;
}

async function compare(local: LocalPackage, cases: readonly Case[]): Promise<Compared> {
  const spreads = spreadsOf(cases);
  const rows = cases.reduce((sum, { inputs }) => sum + rowsOf(inputs), 0);
  let largest = 0;
  let numbers = 0;
  const mismatches: string[] = [];
  for (const runtime of RUNTIMES) {
    // Nothing is known of the graph yet: native code may crash or never end.
    const predictor = await openPredictor(local, runtime, { apart: runtime === "native" });
    for (const [index, { inputs, outputs }] of cases.entries()) {
      const where = `Input ${index + 1} on ${runtime === "wasm" ? "WASM" : "native"}`;
      const answer = await predictor.predict(mapped(inputs, nestedOf)).catch((cause: unknown) => {
        throw new Error(`${where}: the ONNX does not run: ${describeFailure(cause)}`, { cause });
      });
      for (const [name, output] of Object.entries(outputs)) {
        const given = [(answer as Record<string, unknown>)[name]].flat(Infinity);
        const found = differencesOf(output, given, spreads.get(name) ?? 0);
        largest = Math.max(largest, found.largest);
        numbers += found.wrong.length;
        const [first] = found.wrong;
        if (first) mismatches.push(`${where}, ${name}${first}`);
      }
    }
  }
  if (mismatches.length > 0)
    throw new Error(
      `The ONNX answers otherwise than the original: ${numbers} numbers of ${cases.length} inputs differ, so nothing was written. ${mismatches.slice(0, SHOWN).join(". ")}.`,
    );
  return { largest, rows };
}

function differencesOf(output: Described[string], given: readonly unknown[], spread: number) {
  const tensor = tensorOf(output);
  const expected = toJsonValues(tensor);
  const isFloat = tensor.datatype.startsWith("FP");
  const wrong: string[] = [];
  let largest = 0;
  if (given.length !== expected.length)
    wrong.push(` has ${given.length} numbers, not ${expected.length}`);
  else
    for (const [at, value] of expected.entries()) {
      const other = given[at];
      const by = isFloat ? Math.abs(Number(other) - Number(value)) : Number(other !== value);
      if (by > largest) largest = by;
      const allowed = isFloat ? TOLERANCE * Math.max(Math.abs(Number(value)), spread) : 0;
      // A comparison that NaN fails.
      if (!(by <= allowed))
        wrong.push(`[${placeOf(at, output.shape)}] is ${String(other)}, not ${String(value)}`);
    }
  return { largest, wrong };
}

/** The standard deviation of each output's numbers, so that a tolerance can be told for small ones. */
function spreadsOf(cases: readonly Case[]): Map<string, number> {
  const names = Object.keys(cases[0]?.outputs ?? {});
  return new Map(
    names.map((name) => {
      const sums = { count: 0, first: 0, second: 0 };
      for (const { outputs } of cases)
        for (const value of outputs[name] ? toJsonValues(tensorOf(outputs[name])) : []) {
          sums.count++;
          sums.first += Number(value);
          sums.second += Number(value) ** 2;
        }
      const mean = sums.first / (sums.count || 1);
      return [name, Math.sqrt(Math.max(0, sums.second / (sums.count || 1) - mean ** 2))];
    }),
  );
}

/** The first input with its answer, as an example of the version. Undefined where it is too long to read. */
export function exampleOf(cases: readonly Case[]): GivenExample[] | undefined {
  const [first] = cases;
  const count = Object.values(first?.inputs ?? {})
    .map(({ shape }) => shape.reduce((product, size) => product * size, 1))
    .reduce((sum, size) => sum + size, 0);
  if (!first || count > EXAMPLE_NUMBERS) return undefined;
  // The comparison has seen that the answer is right.
  return [{ input: mapped(first.inputs, nestedOf), output: {} }];
}

function rowsOf(inputs: Described): number {
  return Object.values(inputs)[0]?.shape[0] ?? 1;
}

function placeOf(at: number, shape: readonly number[]): string {
  let rest = at;
  return shape
    .toReversed()
    .map((size) => {
      const index = rest % size;
      rest = Math.floor(rest / size);
      return index;
    })
    .toReversed()
    .join(", ");
}

function mapped(inputs: Described, change: (one: Described[string]) => unknown): object {
  return Object.fromEntries(Object.entries(inputs).map(([name, one]) => [name, change(one)]));
}

function nestedOf(one: Described[string]): unknown {
  return toNested(tensorOf(one), toJsonValues);
}

function tensorOf({ datatype, shape, data }: Described[string]): Tensor {
  const bytes = Buffer.from(data, "base64");
  // A copy begins at a multiple of each element's size.
  const { buffer } = Uint8Array.from(bytes);
  return { datatype, shape, data: new DATATYPES[datatype].array(buffer) };
}
