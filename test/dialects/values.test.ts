import { describe } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import { PLATFORMS } from "./platforms.ts";
import { values } from "./values.ts";

describe.each(inThisFile(PLATFORMS))("on %s", (_name, start) => values(start));
