import { describe } from "vitest";
import { targets } from "../harness/targets.ts";
import { madeUpNames } from "./made-up-names.ts";

describe.each([
  ["worker", targets.worker],
  ["lambda", targets.lambda],
] as const)("on %s", (_, start) => madeUpNames(start));
