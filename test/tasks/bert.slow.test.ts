import { describe } from "vitest";
import { targets } from "../harness/targets.ts";
import { answersLikePython } from "./bert.ts";

describe.each(["nodeWasm", "worker", "lambda"] as const)("%s", (name) => {
  answersLikePython(targets[name]);
});
