import { describe } from "vitest";
import { targets } from "../harness/targets.ts";
import { answersTexts, TEXTS_ENV } from "./texts.ts";

describe.each(Object.entries(targets))("on %s", (_name, start) =>
  answersTexts((models) => start({ models, env: TEXTS_ENV })),
);
