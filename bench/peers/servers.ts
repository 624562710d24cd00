import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "../../cli/free-port.ts";
import { START, V8_FLAGS } from "../../test/harness/node-server.ts";
import type { Bare } from "../bare/build.ts";
import { PATIENT, pinnedTo, processTree, SERVER_CORE } from "../processes.ts";
import type { WorkloadOptions } from "../workload.ts";

/** A server that answers the shipped models, as one process (or as few as it can) on one core. */
export interface Peer {
  name: string;
  format: NonNullable<WorkloadOptions["format"]>;
  path: (model: string) => string;
  /** The only models that it has. All when absent. */
  models?: string[];
  command: (
    port: number,
  ) => Promise<{ command: string; args: string[]; env?: Record<string, string> }>;
  /** The Python packages whose versions the report names. */
  packages: string[];
}

const here = import.meta.dirname;
const cache = join(here, "../../.cache/peers");
const nativePath = (model: string) => `/v1/models/${model}/predict`;

/** The service first, then the other servers, the floors last. */
export function peersWith(bare: Bare): Peer[] {
  return [
    nearcast("Nearcast", WITHOUT_LOG),
    nearcast("Nearcast, joined runs", { ...WITHOUT_LOG, DYNAMIC_BATCHING: JOINED }),
    nearcast("Nearcast, with its log", PATIENT),
    ...OTHERS,
    floor("node:http, one run", bare.server),
    floor("node:http alone", bare.constantServer),
  ];
}

const OTHERS: Peer[] = [
  {
    name: "FastAPI",
    format: "json",
    path: nativePath,
    command: async (port) => ({
      command: join(await environment("fastapi"), "uvicorn"),
      args: ["fastapi_server:app", "--app-dir", here, "--port", String(port), ...QUIET],
    }),
    packages: ["fastapi", "uvicorn", "onnxruntime"],
  },
  {
    name: "LitServe",
    format: "json",
    path: nativePath,
    command: async (port) => ({
      command: join(await environment("litserve"), "python"),
      args: [join(here, "litserve_server.py")],
      env: { PORT: String(port) },
    }),
    packages: ["litserve"],
  },
  {
    name: "MLServer",
    format: "v2",
    path: (model) => `/v2/models/${model}/infer`,
    command: async (port) => ({
      command: join(await environment("mlserver"), "mlserver"),
      args: ["start", join(here, "mlserver")],
      env: {
        PYTHONPATH: join(here, "mlserver"),
        MLSERVER_HTTP_PORT: String(port),
        MLSERVER_GRPC_PORT: String(await freePort()),
        MLSERVER_METRICS_PORT: String(await freePort()),
      },
    }),
    packages: ["mlserver"],
  },
  {
    name: "BentoML",
    format: "json",
    path: nativePath,
    command: async (port) => ({
      command: join(await environment("bentoml"), "bentoml"),
      args: ["serve", "bentoml_server:Models", "--working-dir", here, ...at(port)],
      env: { BENTOML_DO_NOT_TRACK: "True" },
    }),
    packages: ["bentoml"],
  },
  {
    name: "Ray Serve",
    format: "json",
    path: nativePath,
    command: async (port) => ({
      command: join(await environment("rayserve"), "python"),
      args: [join(here, "rayserve_server.py")],
      env: { PORT: String(port), RAY_USAGE_STATS_ENABLED: "0" },
    }),
    packages: ["ray"],
  },
];
const at = (port: number) => ["--host", "127.0.0.1", "--port", String(port)];
const QUIET = ["--log-level", "warning", "--no-access-log"];

/** No other server here writes a log, or refuses requests that have waited. */
export const WITHOUT_LOG = { ...PATIENT, ACCESS_LOG: "false" };
const JOINED = "iris:32,digits:32,sentiment:32";

export function nearcast(name: string, env: Record<string, string>): Peer {
  return {
    name,
    format: "json",
    path: nativePath,
    command: async (port) => ({
      command: process.execPath,
      args: START,
      env: { PORT: String(port), ...env },
    }),
    packages: [],
  };
}

/** The least servers on Node, with only iris. */
function floor(name: string, entry: string): Peer {
  return {
    name,
    format: "json",
    path: nativePath,
    models: ["iris"],
    command: async (port) => ({
      command: process.execPath,
      args: [...V8_FLAGS, entry],
      env: { PORT: String(port) },
    }),
    packages: [],
  };
}

/** The `bin` folder of a virtual environment with the pinned requirements, made where it is missing. */
export async function environment(name: string): Promise<string> {
  const folder = join(cache, name);
  const requirements = join(here, `requirements-${name}.txt`);
  const wanted = await readFile(requirements, "utf8");
  const installed = join(folder, "installed.txt");
  if ((await readFile(installed, "utf8").catch(() => "")) !== wanted) {
    console.error(`installing ${name}`);
    const run = promisify(execFile);
    await mkdir(cache, { recursive: true });
    await run("python3", ["-m", "venv", folder]);
    await run(join(folder, "bin/pip"), ["install", "--quiet", "--requirement", requirements]);
    await writeFile(installed, wanted);
  }
  return join(folder, "bin");
}

/** The pinned version of a package of one of the requirements. */
export async function pinnedVersion(peer: string, packageName: string): Promise<string> {
  const file = join(here, `requirements-${peer.toLowerCase().replace(" ", "")}.txt`);
  const lines = (await readFile(file, "utf8")).split("\n");
  return lines.find((line) => line.startsWith(`${packageName}==`))?.split("==")[1] ?? "";
}

export interface RunningPeer {
  url: (model: string) => string;
  /** Milliseconds from the start of the process to its first correct answer. */
  coldStart: number;
  pid: number;
  stop: () => Promise<void>;
}

const START_LIMIT_MS = 60_000;
/** How often a server that does not answer yet is asked again. */
const POLL_MS = 5;

/** Starts a server on its core and waits for its first correct answer for iris. */
export async function startPeer(
  peer: Peer,
  probe: { body: Buffer; expected: RegExp },
): Promise<RunningPeer> {
  const port = await freePort();
  const { command, args, env } = await peer.command(port);
  const [pinned, pinnedArgs] = pinnedTo(SERVER_CORE, command, args);
  const url = (model: string) => `http://127.0.0.1:${port}${peer.path(model)}`;
  const start = performance.now();
  const child = spawn(pinned, pinnedArgs, {
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4000));
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  for (;;) {
    const answer = await ask(url("iris"), probe.body);
    if (answer !== undefined && probe.expected.test(answer)) break;
    if (child.exitCode !== null || performance.now() - start > START_LIMIT_MS) {
      await stop(child);
      throw new Error(`${peer.name} does not answer rightly: ${answer}\n${output}`);
    }
    await sleep(POLL_MS);
  }
  const coldStart = performance.now() - start;
  return { url, coldStart, pid: child.pid ?? 0, stop: () => stop(child) };
}

async function ask(url: string, body: Buffer): Promise<string | undefined> {
  try {
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: "POST", headers, body: new Uint8Array(body) });
    return await response.text();
  } catch {
    return undefined;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const closed = new Promise((resolve) => child.once("close", resolve));
  // Some of the servers start others, in sessions of their own, which hold the pipes.
  for (const pid of await processTree(child.pid))
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  await closed;
}
