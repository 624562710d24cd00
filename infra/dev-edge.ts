// `npm run dev:edge`: the Worker in workerd through `wrangler dev`, its local R2 filled from models/.
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { R2Bucket } from "@cloudflare/workers-types";
import { getPlatformProxy } from "wrangler";
import { packageFiles } from "./package-files.ts";

const root = join(import.meta.dirname, "..");

const proxy = await getPlatformProxy<{ MODELS: R2Bucket }>();
const keys = await packageFiles(join(root, "models"));
for (const key of keys) await proxy.env.MODELS.put(key, await readFile(join(root, "models", key)));
await proxy.dispose();
console.log(`Seeded the local R2 bucket with ${keys.length} objects from models/`);

const port = process.env["PORT"] ?? "8787";
console.log("It is open (AUTH=none), and only this machine can ask");
const flags = ["--port", port, "--ip", "127.0.0.1", "--var", "AUTH:none"];
const wrangler = spawn("wrangler", ["dev", ...flags], {
  stdio: "inherit",
  shell: process.platform === "win32",
});
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => wrangler.kill(signal));
wrangler.on("exit", (code) => process.exit(code ?? 0));
