import { differenceFrom } from "../add/check-example.ts";
import { describeFailure } from "../failure.ts";
import type { LocalPackage } from "../package-folder.ts";
import { openPredictor, type RuntimeName } from "../predictor.ts";
import type { Network } from "./report.ts";

const RUNTIMES: readonly RuntimeName[] = ["native", "wasm"];
const SHOWN = 3;
const SHOWN_LETTERS = 60;

/**
 * Asks the version what the original was asked, through the predict path of the functions on native and WASM: texts as
 * they are read, pictures as they are resized. Gives how many inputs there were: none for another task than the
 * original's answers are of. Throws an Error that says which answers differ, and how.
 */
export async function compareAnswered(
  local: LocalPackage,
  answers: Network["answers"],
): Promise<number> {
  if (!answers || answers.task !== local.manifest.task) return 0;
  const mismatches: string[] = [];
  for (const runtime of RUNTIMES) {
    const predictor = await openPredictor(local, runtime);
    for (const { input, parameters, answer } of answers.cases) {
      const found = await predictor.predict(input, parameters).catch((cause: unknown) => {
        throw new Error(`${shown(input)}: ${describeFailure(cause)}`, { cause });
      });
      const difference = await differenceFrom(answer, found);
      if (difference !== undefined)
        mismatches.push(
          `${shown(input)}: ${difference} (${runtime === "wasm" ? "WASM" : "native"})`,
        );
    }
  }
  if (mismatches.length > 0)
    throw new Error(
      `The version answers otherwise than the original ${mismatches.length} times for ${answers.cases.length} inputs on native and WASM, so nothing was written. ${mismatches.slice(0, SHOWN).join(". ")}.`,
    );
  return answers.cases.length;
}

function shown(input: string): string {
  return JSON.stringify(input.length > SHOWN_LETTERS ? `${input.slice(0, SHOWN_LETTERS)}…` : input);
}
