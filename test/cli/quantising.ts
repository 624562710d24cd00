import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./nearcast.ts";

const requirements = readFileSync(join(root, "cli/quantize-requirements.txt"));
const digest = createHash("sha256").update(requirements).digest("hex").slice(0, 8);
const environment = join(root, `.cache/quantize-${digest}`);

/** The Python that the command quantises with, where the command looks for it. `.ci/run` makes it. */
export const quantiserPython = join(environment, "bin/python");
export const canQuantise = existsSync(join(environment, "installed.txt"));
if (!canQuantise)
  console.log("There is no environment to quantise in (.ci/run makes it): skipped.");

/** all-MiniLM-L6-v2 (Apache-2.0), as a package of pip brings it. `.ci/run` gets it. */
export const miniLmArchive = join(root, ".cache/minilm/all_minilm_l6_v2/model.zip");
export const hasMiniLm = existsSync(miniLmArchive);
if (!hasMiniLm) console.log("There is no MiniLM to quantise (.ci/run gets it): skipped.");
