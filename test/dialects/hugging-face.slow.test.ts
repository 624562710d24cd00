import { describe } from "vitest";
import { targets } from "../harness/targets.ts";
import { answersInference } from "./hugging-face.ts";

describe.each(Object.entries(targets))("on %s", (_name, start) =>
  answersInference((models) => start({ models, env: { AUTH: "none", ACCESS_LOG: "false" } })),
);
