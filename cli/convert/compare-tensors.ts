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
import { allowanceOf, placeOf } from "./allowance.ts";
import type { Network } from "./report.ts";

const RUNTIMES: readonly RuntimeName[] = ["native", "wasm"];
const SHOWN = 3;
/** Numbers of an example that people still read. */
const EXAMPLE_NUMBERS = 1000;

type Case = Network["cases"][number];
type Described = Case["inputs"];

export interface Compared {
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
  const allowances = allowancesOf(cases);
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
        const given = (answer as Record<string, unknown>)[name];
        const found = differencesOf(output, given, allowances.get(name));
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

function differencesOf(
  output: Described[string],
  nested: unknown,
  allowance: ReturnType<typeof allowanceOf> | undefined,
) {
  const { shape } = output;
  const found = shapeOf(nested);
  // Below an empty array there are no more.
  if (found.join() !== shape.slice(0, found.length).join() || elements(found) !== elements(shape))
    return {
      largest: 0,
      wrong: [` has the shape [${found.join(", ")}], not [${shape.join(", ")}]`],
    };
  const given: unknown[] = [nested].flat(Infinity);
  const wrong: string[] = [];
  let largest = 0;
  for (const [at, value] of toJsonValues(tensorOf(output)).entries()) {
    const other = given[at];
    const place = placeOf(at, shape);
    const by = allowance ? Math.abs(Number(other) - Number(value)) : Number(other !== value);
    if (by > largest) largest = by;
    // A comparison that NaN fails.
    if (!(by <= (allowance?.(Number(value), place) ?? 0)))
      wrong.push(`[${place.join(", ")}] is ${String(other)}, not ${String(value)}`);
  }
  return { largest, wrong };
}

function shapeOf(nested: unknown): number[] {
  return Array.isArray(nested) ? [nested.length, ...shapeOf(nested[0])] : [];
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** What the numbers of each output may differ by. Others than floats must be equal. */
function allowancesOf(cases: readonly Case[]): Map<string, ReturnType<typeof allowanceOf>> {
  const [first] = cases;
  const floats = Object.entries(first?.outputs ?? {}).filter(([, { datatype }]) =>
    datatype.startsWith("FP"),
  );
  return new Map(
    floats.map(([name]) => {
      const found = cases.flatMap(({ outputs }) => outputs[name] ?? []);
      const numbers = found.map((one) => ({
        shape: one.shape,
        values: toJsonValues(tensorOf(one)).map(Number),
      }));
      return [name, allowanceOf(numbers)];
    }),
  );
}

/** The first input with its answer, as an example of the version. Undefined where it is too long to read. */
export function exampleOf(cases: readonly Case[]): GivenExample[] | undefined {
  const [first] = cases;
  const count = Object.values(first?.inputs ?? {})
    .map(({ shape }) => elements(shape))
    .reduce((sum, size) => sum + size, 0);
  if (!first || count > EXAMPLE_NUMBERS) return undefined;
  // The comparison has seen that the answer is right.
  return [{ input: mapped(first.inputs, nestedOf), output: {} }];
}

function rowsOf(inputs: Described): number {
  return Object.values(inputs).find(({ shape }) => shape.length > 0)?.shape[0] ?? 1;
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
