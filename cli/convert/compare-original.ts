import { describeFailure } from "../failure.ts";
import type { LocalPackage } from "../package-folder.ts";
import { openPredictor, type RuntimeName } from "../predictor.ts";
import { differenceOf, scaleOf, type Scale } from "./differences.ts";
import type { Case } from "./report.ts";

const BATCH = 100;
const RUNTIMES: readonly RuntimeName[] = ["native", "wasm"];

export interface Mismatch {
  case: Case;
  runtime: RuntimeName;
  reason: string;
}

export interface Comparison {
  mismatches: Mismatch[];
  largest: number;
  /** How many inputs have two labels alike, of which another one was said. */
  ties: number;
  /** How many inputs next to a jump are answered as the original answers their neighbour in float32. */
  flips: number;
  cases: number;
}

/** Asks the version for the original's answers, on native and WASM, through the predict path of the functions. */
export async function compareWithOriginal(
  local: LocalPackage,
  cases: readonly Case[],
  areProbabilities: boolean,
): Promise<Comparison> {
  const scale = scaleOf(cases, areProbabilities);
  const found: Comparison = { mismatches: [], largest: 0, ties: 0, flips: 0, cases: cases.length };
  for (const runtime of RUNTIMES) {
    const answers = await answersOf(local, runtime, cases);
    for (const [index, answer] of answers.entries()) {
      const one = cases[index] as Case;
      if (answer instanceof Error) {
        found.mismatches.push({ case: one, runtime, reason: `it is refused: ${answer.message}` });
        continue;
      }
      const { mismatch, largest, isTie } = differenceOf(one.expected, answer, scale);
      if (mismatch !== undefined && isNeighbours(one, answer, scale)) {
        if (runtime === "native") found.flips++;
        continue;
      }
      found.largest = Math.max(found.largest, largest);
      if (isTie && runtime === "native") found.ties++;
      if (mismatch !== undefined) found.mismatches.push({ case: one, runtime, reason: mismatch });
    }
  }
  return found;
}

function isNeighbours({ neighbour }: Case, answer: unknown, scale: Scale): boolean {
  return neighbour !== undefined && differenceOf(neighbour, answer, scale).mismatch === undefined;
}

/** An answer for each input, or the Error that refused it. */
async function answersOf(
  local: LocalPackage,
  runtime: RuntimeName,
  cases: readonly Case[],
): Promise<unknown[]> {
  const predictor = await openPredictor(local, runtime);
  const answers: unknown[] = [];
  for (let start = 0; start < cases.length; start += BATCH) {
    const inputs = cases.slice(start, start + BATCH).map(({ row }) => row);
    try {
      answers.push(...((await predictor.predict(inputs)) as unknown[]));
    } catch {
      for (const input of inputs) answers.push(await predictor.predict(input).catch(asError));
    }
  }
  return answers;
}

function asError(cause: unknown): Error {
  return new Error(describeFailure(cause), { cause });
}
