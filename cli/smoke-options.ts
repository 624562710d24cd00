import { Option, type Command } from "commander";
import { numberOf, seconds } from "./options.ts";

export interface SmokeFlags {
  tolerance: number;
  wait: number;
}

/** How right the answers of a deployment must be, and how soon. */
export function withSmokeOptions(command: Command): Command {
  return command
    .option(
      "--tolerance <number>",
      "how far numbers may differ, relative above 1 (INT8 models need more, such as 0.05)",
      numberOf,
      1e-4,
    )
    .addOption(
      new Option("--wait <time>", "how long it may take until the deployment answers right")
        .argParser(seconds)
        .default(60, "60s")
        .env("NEARCAST_WAIT"),
    );
}
