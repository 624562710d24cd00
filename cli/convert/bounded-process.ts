import { execFile, spawn } from "node:child_process";
import { promisify } from "node:util";

/** A namespace of its own for network and processes: what it starts ends with it. */
const NAMESPACE = ["--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child"];
const KEPT_OUTPUT = 64 * 1024;

export interface Bounds {
  seconds: number;
  /** A folder for the process's own files, which is its home too. */
  folder: string;
}

/** How the process is kept from the network: by a namespace, or only by a hook of Python. */
export type NetworkBound = "namespace" | "hook";

export async function networkBound(): Promise<NetworkBound> {
  if (process.platform !== "linux") return "hook";
  return promisify(execFile)("unshare", [...NAMESPACE, "true"]).then(
    () => "namespace",
    () => "hook",
  );
}

/**
 * Runs a program with no more of this process's environment than where programs are, and ends it and what it started
 * when its time is over. Throws an Error that says how it ended, with the end of what it printed.
 */
export async function runBounded(
  command: readonly string[],
  network: NetworkBound,
  { seconds, folder }: Bounds,
): Promise<void> {
  const [program = "", ...args] =
    network === "namespace" ? ["unshare", ...NAMESPACE, ...command] : command;
  const child = spawn(program, args, {
    cwd: folder,
    // Its own group of processes, so that all of them can be ended.
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: process.env["PATH"], LANG: "C.UTF-8", HOME: folder, TMPDIR: folder, ...QUIET },
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-KEPT_OUTPUT);
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    end(child.pid);
  }, seconds * 1000);
  try {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>(
      (resolve, reject) => {
        child.on("error", reject);
        child.on("exit", (...ended) => resolve(ended));
      },
    );
    if (isLate)
      throw new Error(
        `The model was not read in ${seconds} seconds, and its process was ended. If it needs that long, allow more with --seconds.`,
      );
    if (code !== 0) throw new Error(endOf(code, signal, said));
  } finally {
    clearTimeout(timer);
    end(child.pid);
    child.stderr.destroy();
  }
}

/** Threads of their own would each take address space, which is bounded. */
const QUIET = {
  OMP_NUM_THREADS: "1",
  OPENBLAS_NUM_THREADS: "1",
  MKL_NUM_THREADS: "1",
  LOKY_MAX_CPU_COUNT: "1",
  PYTHONDONTWRITEBYTECODE: "1",
  PYTHONHASHSEED: "0",
};

function end(group: number | undefined): void {
  if (group === undefined) return;
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // All of them have ended already.
  }
}

function endOf(code: number | null, signal: NodeJS.Signals | null, said: string): string {
  const last = said.trim().split("\n").at(-1);
  const how = signal ? `by ${signal}` : `with code ${code}`;
  return `The process that read the model ended ${how}${last ? `: ${last}` : ", as it does when it wants more memory than it may have (--memory)"}`;
}
