import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import packageJson from "../../package.json" with { type: "json" };
import { withFullDisk } from "./full-disk.ts";

export interface NodeServerOptions {
  /** The server's entry file. By default the one that `npm start` runs. */
  entry?: string;
  /** The path of another Node than the one that runs the tests. */
  node?: string | undefined;
  /** Node's own arguments, before the `entry`. */
  nodeFlags?: readonly string[];
  cwd?: string;
  env?: Record<string, string>;
  /** Its writes to files fail. */
  fullDisk?: boolean | undefined;
  /** How many files it may have open. */
  openFiles?: number;
  startLimitMs?: number;
  stopLimitMs?: number;
}

export interface NodeServer {
  readonly url: string;
  readonly logs: string;
  readonly pid: number;
  fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** Resolves to the exit code, or to null when the process ignored SIGTERM and was killed. */
  stop: () => Promise<number | null>;
}

/** The arguments that `npm start` gives Node. */
export const START = packageJson.scripts.start.split(" ").slice(1);

/** Those of them for V8. Programs that are compared with the server get them too. */
export const V8_FLAGS = START.filter((argument) => argument.startsWith("--"));

/** Starts the Node entry as a process of its own, on a free port. */
export async function startNodeServer(options: NodeServerOptions = {}): Promise<NodeServer> {
  const { entry, node = process.execPath, nodeFlags = [] } = options;
  const args = entry === undefined ? START : [...nodeFlags, entry];
  const command: [string, readonly string[]] = options.fullDisk
    ? withFullDisk(node, args)
    : options.openFiles
      ? ["sh", ["-c", `ulimit -n ${options.openFiles} && exec "$0" "$@"`, node, ...args]]
      : [node, args];
  const child = spawn(...command, {
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    env: {
      PATH: process.env["PATH"] ?? "",
      TMPDIR: tmpdir(),
      // There is no load balancer to wait for.
      SHUTDOWN_GRACE_MS: "0",
      // A server of another test, with other models, would answer the jobs of a file that they share.
      JOBS_FILE: join(tmpdir(), `nearcast-jobs-${crypto.randomUUID()}.sqlite`),
      ...options.env,
      PORT: "0",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let logs = "";
  let output = "";
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  const url = await new Promise<string>((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      reject(new Error(`The server ${why}:\n${logs}`));
    };
    const limit = options.startLimitMs ?? 60_000;
    const timer = setTimeout(() => fail(`did not start within ${limit} ms`), limit);
    child.once("error", (error) => fail(error.message));
    child.once("close", (code) => fail(`exited with ${code}`));
    child.stderr.on("data", (chunk: Buffer) => (logs += chunk.toString()));
    child.stdout.on("data", (chunk: Buffer) => {
      logs += chunk.toString();
      output += chunk.toString();
      // Wait for the whole line: a port can arrive in two pieces.
      const port = /http:\/\/localhost:(\d+)\b.*\n/.exec(output)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      resolve(`http://localhost:${port}`);
    });
  });

  return {
    url,
    get logs() {
      return logs;
    },
    pid: child.pid ?? 0,
    fetch: (path, init) => fetch(new URL(path, url), init),
    async stop() {
      child.kill("SIGTERM");
      const bound = new AbortController();
      const killed = sleep(options.stopLimitMs ?? 20_000, null, { signal: bound.signal }).then(
        () => child.kill("SIGKILL"),
        () => undefined,
      );
      const code = await closed;
      bound.abort();
      await killed;
      return code;
    },
  };
}
