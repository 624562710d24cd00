import { Option, type Command } from "commander";
import { numberOf } from "./options.ts";
import type { RuntimeName } from "./predictor.ts";

/** How far numbers may differ, by this × max(1, |expected|). */
export const DEFAULT_TOLERANCE = 1e-4;

export interface VerifyFlags {
  runtime: RuntimeName | "both";
  tolerance: number;
}

/** The options that decide whether a version may be published. `push` takes the same. */
export function withVerifyOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--runtime <name>", "wasm: Workers, native: Lambda and Node")
        .choices(["native", "wasm", "both"])
        .default("both"),
    )
    .option(
      "--tolerance <number>",
      "how far numbers may differ, relative above 1 (INT8 models need more, such as 0.05)",
      numberOf,
      DEFAULT_TOLERANCE,
    );
}

export function runtimesOf({ runtime }: VerifyFlags): RuntimeName[] {
  return runtime === "both" ? ["native", "wasm"] : [runtime];
}
