import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { StoredFeatures } from "../../functions/features/source.ts";
import { freePort } from "../harness/free-port.ts";

const python = join(import.meta.dirname, "../../.cache/feast-venv/bin/python3");
export const hasFeast = existsSync(python);
if (!hasFeast)
  console.log("There is no .cache/feast-venv, which .ci/run makes: Feast's server is skipped");

/** A real Feast with the feature views of feast_server.py. */
export interface Feast {
  /** As `FEATURE_SOURCES` has it. */
  url: string;
  write: (view: string, rows: readonly StoredFeatures[]) => Promise<void>;
  pause: () => void;
  goOn: () => void;
  stop: () => Promise<void>;
}

export async function startFeast(): Promise<Feast> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-feast-"));
  const port = await freePort();
  const script = join(import.meta.dirname, "feast_server.py");
  const env = { ...process.env, HOME: folder, FEAST_USAGE: "False" };
  // A group of its own, since the server has workers.
  const child = spawn(python, [script, folder, String(port)], {
    env,
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => void child.once("close", () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const signal = (name: NodeJS.Signals) => void process.kill(-(child.pid ?? 0), name);
  const feast: Feast = {
    url: `feast+http://127.0.0.1:${port}`,
    async write(view, rows) {
      const flat = rows.map(({ keys, values, at = Date.now() }) => {
        return { ...keys, ...values, event_timestamp: at };
      });
      child.stdin.write(`${JSON.stringify({ view, rows: flat })}\n`);
      if ((await lines.next()).value !== "ok") throw new Error("Feast did not write the rows");
    },
    pause: () => signal("SIGSTOP"),
    goOn: () => signal("SIGCONT"),
    async stop() {
      child.stdin.end();
      await ended;
      await rm(folder, { recursive: true });
    },
  };
  const health = `http://127.0.0.1:${port}/health`;
  for (let left = 600; ; left--) {
    const response = await fetch(health).catch(() => undefined);
    if (response?.ok) return feast;
    if (left === 0 || child.exitCode !== null) throw new Error("Feast does not start");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
