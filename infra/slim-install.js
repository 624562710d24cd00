// `prepare`, which npm runs after each install in this repository: takes out of node_modules what nothing here
// reads. ONNX Runtime brings every system's binaries, 220 MB of them other systems'; Linux's stay, as Lambda packages
// are made of them. The Node of the development dependencies brings its headers, 67 MB.
// JavaScript, as it also runs where Node takes no types.
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
