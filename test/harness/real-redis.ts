import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";

import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";

/** Whether this machine has a Redis (Debian: `redis-server`). */
export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;

if (!hasRedis) console.log("No redis-server is installed: its tests are skipped.");

export interface RealRedis {
  readonly url: string;
  /** Stops the process as it is, and lets it go on. Connections stay open, and new ones wait. */
  pause: () => void;
  goOn: () => void;
  stop: () => Promise<void>;
}

/** Starts a real Redis, which keeps nothing on disk, on a free port. */
export async function startRealRedis(): Promise<RealRedis> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-redis-"));
  const port = await freePort();
  const options = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--dir", folder];
  const child = spawn("redis-server", options, { stdio: ["ignore", "pipe", "inherit"] });
  const exit = once(child, "exit");
  let said = "";
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    said += String(chunk);
    if (said.includes("Ready to accept connections")) break;
  }
  child.stdout.resume();
  return {
    url: `redis://127.0.0.1:${port}`,
    pause: () => void child.kill("SIGSTOP"),
    goOn: () => void child.kill("SIGCONT"),
    async stop() {
      child.kill("SIGCONT");
      child.kill("SIGKILL");
      await exit;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
