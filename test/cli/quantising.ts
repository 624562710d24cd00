import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { unzipSync } from "fflate";
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
const miniLmArchive = join(root, ".cache/minilm/all_minilm_l6_v2/model.zip");
export const hasMiniLm = existsSync(miniLmArchive);
if (!hasMiniLm) console.log("There is no MiniLM to quantise (.ci/run gets it): skipped.");

/** The model's folder with its ONNX, as exporters write it. */
export async function miniLmExport(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-minilm-export-"));
  for (const [file, bytes] of Object.entries(unzipSync(await readFile(miniLmArchive)))) {
    if (file.endsWith("/")) continue;
    await mkdir(join(folder, file, ".."), { recursive: true });
    await writeFile(join(folder, file), bytes);
  }
  await mkdir(join(folder, "onnx"));
  const script = join(import.meta.dirname, "minilm.py");
  await promisify(execFile)(quantiserPython, [script, folder, join(folder, "onnx/model.onnx")]);
  return folder;
}
