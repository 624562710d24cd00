import { execFileSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { arch, availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { pinning } from "./processes.ts";

export interface Table {
  title: string;
  /** Facts that a reader needs for the figures. */
  note?: string;
  columns: string[];
  rows: string[][];
}

interface ReportOptions {
  /** Their number, of which medians are shown, or what is shown of them in words. */
  rounds: number | string;
  /** Which program runs on which core. */
  cores: string;
  /** Facts about other measured programs. */
  versions?: Record<string, string>;
}

/** The cores of the servers and of the load generator. */
export const ONE_CORE_EACH = pinning
  ? "the server on one core, the load generator on the other"
  : "the server and the load generator on the same cores";

/** Prints the tables as Markdown and writes them to bench/results with the machine they came from. */
export async function writeReport(
  name: string,
  tables: Table[],
  { rounds, cores, versions = {} }: ReportOptions,
): Promise<void> {
  const date = new Date().toISOString();
  const text = [
    `# ${name}, ${date.slice(0, 10)}`,
    typeof rounds === "string"
      ? rounds
      : rounds === 1
        ? "One round."
        : `Medians of ${rounds} interleaved rounds, with the lowest and the highest round in brackets.`,
    markdown(await machine(cores, versions)),
    ...tables.map(markdown),
  ].join("\n\n");
  console.log(text);
  const folder = join(import.meta.dirname, "results");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${date.slice(0, 10)}-${name}.md`), `${text}\n`);
}

function markdown({ title, note, columns, rows }: Table): string {
  const table = [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
  return [`## ${title}`, ...(note ? [note] : []), table].join("\n\n");
}

function line(cells: string[]): string {
  return `| ${cells.join(" | ")} |`;
}

async function machine(cores: string, versions: Record<string, string>): Promise<Table> {
  const rows = Object.entries({
    CPU: `${cpus()[0]?.model.trim() ?? "unknown"}, ${availableParallelism()} cores, ${arch()}`,
    memory: `${Math.round(totalmem() / 1024 ** 3)} GiB`,
    "operating system": `${type()} ${/^\d+\.\d+/.exec(release())?.[0] ?? ""}`,
    "Node.js": process.version,
    "onnxruntime-node": await version("onnxruntime-node"),
    "onnxruntime-web": await version("onnxruntime-web"),
    ...versions,
    // Reports do not count as changes to the measured code.
    commit:
      git("rev-parse", "--short", "HEAD") +
      (git("status", "--porcelain", "--", ":/", ":(exclude,top)bench/results") ? ", changed" : ""),
    cores,
    "load average at the end": loadavg()
      .map((load) => load.toFixed(1))
      .join(", "),
  });
  return { title: "Machine", columns: ["", ""], rows };
}

async function version(packageName: string): Promise<string> {
  const file = join(import.meta.dirname, "../node_modules", packageName, "package.json");
  return (JSON.parse(await readFile(file, "utf8")) as { version: string }).version;
}

function git(...args: string[]): string {
  try {
    return execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" }).trim();
  } catch {
    return "";
  }
}
