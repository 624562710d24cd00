import { execFile, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The server under test has a core to itself, and the load generator has another. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

/** For the service, so that it does not refuse requests because the machine is busy with other work. */
export const PATIENT = { MAX_QUEUE_MS: "60000" };

export const pinning = cpus().length > 1 && works("taskset", ["--version"]);

/** Makes a command run on one core, where the machine can do that. */
export function pinnedTo(core: number, command: string, args: string[]): [string, string[]] {
  return pinning ? ["taskset", ["-c", String(core), command, ...args]] : [command, args];
}

/** Moves a running process with all its threads to one core, where the machine can do that. */
export function pin(pid: number, core: number): void {
  if (pinning) execFileSync("taskset", ["-acp", String(core), String(pid)], { stdio: "ignore" });
}

/**
 * Runs a file of this folder as a process of its own, gives it `options` as JSON and reads its answer from the last line
 * it prints. Programs that are compared with the service need the same `nodeFlags`.
 */
export async function runChild<Answer>(
  file: string,
  options: unknown,
  core: number,
  nodeFlags: readonly string[] = [],
): Promise<Answer> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const [command, args] = pinnedTo(core, process.execPath, [
    ...nodeFlags,
    path,
    JSON.stringify(options),
  ]);
  // Large enough for the service's access log.
  const { stdout } = await promisify(execFile)(command, args, { maxBuffer: Infinity });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "null") as Answer;
}

/** Reads what {@link runChild} gave this process. */
export function childOptions(): unknown {
  return JSON.parse(process.argv[2] ?? "null");
}

/** Resident memory of a process in MiB, now and at its highest; NaN where there is no /proc. */
export async function residentMemory(pid: number): Promise<{ now: number; peak: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return { now: kibibytes(status, "VmRSS") / 1024, peak: kibibytes(status, "VmHWM") / 1024 };
}

/**
 * MiB that a process and its descendants hold. Each page counts once. NaN where there is no /proc. Memory that they share
 * after a fork is taken from their proportional set sizes. Pages of files are not, because other servers of the same
 * program would make those smaller. For pages of files, the process with most of them counts.
 */
export async function treeMemory(pid: number): Promise<number> {
  const each = await Promise.all(
    (await processTree(pid)).map(async (id) => {
      const rollup = await readFile(`/proc/${id}/smaps_rollup`, "utf8").catch(() => "");
      const status = await readFile(`/proc/${id}/status`, "utf8").catch(() => "");
      const own = kibibytes(rollup, "Pss") - kibibytes(rollup, "Pss_File");
      return { own, files: kibibytes(status, "RssFile") };
    }),
  );
  const own = each.reduce((sum, one) => sum + one.own, 0);
  return (own + Math.max(...each.map(({ files }) => files))) / 1024;
}

function kibibytes(text: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? NaN);
}

/**
 * Seconds of processor time that these processes have used. NaN without /proc. It is synchronous, so that a load
 * generator gets no answer between this and its clock.
 */
export function cpuSeconds(pids: readonly number[]): number {
  try {
    return pids.map(ownCpuSeconds).reduce((sum, seconds) => sum + seconds, 0);
  } catch {
    return NaN;
  }
}

function ownCpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // After the name in brackets: utime and stime are the 14th and 15th field of all (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

/** What `getconf CLK_TCK` says on every Linux that Node runs on. */
const CLOCK_TICKS_PER_SECOND = 100;

/** The ids of a process and its descendants. Only its own where there is no /proc. */
export async function processTree(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const children = await Promise.all(
    threads.map((thread) =>
      readFile(`/proc/${pid}/task/${thread}/children`, "utf8").catch(() => ""),
    ),
  );
  const ids = children.flatMap((list) => list.split(" ").filter(Boolean).map(Number));
  return [pid, ...(await Promise.all(ids.map(processTree))).flat()];
}

function works(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
