// npm runs this as `prepare` after each install in this repository. It deletes files in node_modules that nothing reads.
// ONNX Runtime brings the binaries of every system, 220 MB for others than this one. Linux's stay, because Lambda
// packages need them. The Node of the development dependencies brings its headers, 67 MB.
// It is JavaScript, because it also runs where Node cannot run TypeScript.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const packages = join(import.meta.dirname, "../node_modules");

/** @param {string} folder */
function entries(folder) {
  return existsSync(folder) ? readdirSync(folder) : [];
}

const binaries = join(packages, "onnxruntime-node/bin/napi-v6");
for (const system of entries(binaries))
  if (system !== "linux" && system !== process.platform)
    rmSync(join(binaries, system), { recursive: true });

const nodes = join(packages, "node/node_modules");
for (const name of entries(nodes))
  rmSync(join(nodes, name, "include"), { recursive: true, force: true });
