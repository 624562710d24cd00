import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";

const bin = newest("/usr/lib/postgresql");

/** Whether this machine has a PostgreSQL (Debian: `postgresql`). */
export const hasPostgres = bin !== undefined;

if (!hasPostgres) console.log("No postgresql is installed: its tests are skipped.");

export interface RealPostgres {
  readonly url: string;
  stop: () => Promise<void>;
}

/** Starts a real PostgreSQL on a free port, which writes nothing to its disk for good. */
export async function startRealPostgres(): Promise<RealPostgres> {
  // It refuses to run as root, and another user cannot enter the tests' own folder.
  const user = process.getuid?.() === 0 ? userOf("postgres") : undefined;
  const folder = await mkdtemp(join(user ? "/tmp" : tmpdir(), "nearcast-postgres-"));
  const port = await freePort();
  if (user) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const made = ["-D", data, "-U", "nearcast", "-A", "trust", "--no-sync", "--encoding=UTF8"];
  execFileSync(command("initdb"), made, { ...user, cwd: folder, stdio: "ignore" });
  const options = ["-D", data, "-p", `${port}`, "-k", folder, "-h", "127.0.0.1", "-F"];
  const child = spawn(command("postgres"), options, {
    ...user,
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exit = once(child, "exit");
  let said = "";
  for await (const chunk of child.stderr.iterator({ destroyOnReturn: false })) {
    said += String(chunk);
    if (said.includes("ready to accept connections")) break;
  }
  child.stderr.resume();
  return {
    url: `postgres://nearcast@127.0.0.1:${port}/postgres`,
    async stop() {
      // It ends all connections.
      child.kill("SIGINT");
      await exit;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function command(name: string): string {
  return join(bin ?? "", name);
}

function newest(folder: string): string | undefined {
  try {
    const [version] = readdirSync(folder).toSorted((a, b) => Number(b) - Number(a));
    return version && join(folder, version, "bin");
  } catch {
    return undefined;
  }
}

function userOf(name: string): { uid: number; gid: number } {
  const [uid, gid] = ["-u", "-g"].map((flag) => Number(execFileSync("id", [flag, name])));
  return { uid: uid ?? 0, gid: gid ?? 0 };
}
