import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type * as z from "zod";
import { pythonEnvironment } from "../python-environment.ts";
import { networkBound, runBounded } from "./bounded-process.ts";
import type { SourceKind } from "./file-kind.ts";
import { readReport } from "./report.ts";

const HERE = import.meta.dirname;
/** Frameworks that a pipeline of scikit-learn may have inside. They are installed when one is needed. */
const INSIDE = new Set(["xgboost", "lightgbm", "catboost"]);
/** The networks, and whose environment converts them. */
const ENVIRONMENTS: Partial<Record<SourceKind, string>> = {
  torch: "torch",
  "hugging-face": "torch",
  keras: "tensorflow",
  "saved-model": "tensorflow",
};
/** Older versions have no package without the graphics card's libraries. */
const CPU_ONLY = /-cpu$/;

export function isNetwork(kind: SourceKind): boolean {
  return kind in ENVIRONMENTS;
}

/** What the process gets, in JSON. */
export interface Job {
  path: string;
  kind: SourceKind;
  trust: boolean;
}

/** What it gets of a model of scikit-learn, or of boosted trees. */
export interface TableJob extends Job {
  data: string | null;
  target: string | null;
  features: string[] | null;
  labels: string[] | null;
}

/** What it gets of a network. */
export interface NetworkJob extends Job {
  /** The import path of a module: `package.module:name`. */
  module: string | null;
  /** The signature of a SavedModel. */
  signature: string | null;
  /** Inputs to compare on, or the shapes of one, or the height and width of pictures. */
  inputs: { file: string } | { shapes: number[][] } | { sides: [number, number] } | null;
}

interface Options<T> {
  /** What its report looks like. */
  schema: z.ZodType<T>;
  /** Further packages for the environment, as pip has them. */
  packages: readonly string[];
  /** Libraries of boosted trees that the model has inside. */
  inside: readonly string[];
  memoryMb: number;
  seconds: number;
  /** An empty folder for what is made. */
  folder: string;
}

/** Has Python read a model, export it into `folder` and answer inputs. Throws an Error that says why it does not. */
export async function pythonReport<T extends object>(
  job: TableJob | NetworkJob,
  options: Options<T>,
): Promise<T & { folder: string }> {
  const { packages, memoryMb, seconds } = options;
  const inside = new Set([...options.inside, job.kind].filter((kind) => INSIDE.has(kind)));
  const lists = await Promise.all(
    [ENVIRONMENTS[job.kind] ?? "sklearn", ...inside].map(requirementsOf),
  );
  const python = await pythonEnvironment({
    name: "convert",
    requirements: withPackages(lists.join(""), packages),
    purpose: "Converting",
    what: "What converts the model",
  });
  const network = await networkBound();
  if (network === "hook" && job.trust)
    process.stderr.write(
      "This machine gives the process no network of its own (unshare): a hook in Python refuses connections, which code that means harm gets round.\n",
    );
  const folder = join(options.folder, `${options.inside.length}`);
  await mkdir(folder);
  const description = join(folder, "job.json");
  await writeFile(description, JSON.stringify({ ...job, memoryMb, network, out: folder }));
  const command = [python, "-I", join(HERE, "python/convert.py"), description];
  await runBounded(command, network, { seconds, folder });
  const report = await readReport(join(folder, "report.json"), options.schema);
  if ("refused" in report) throw new Error(report.refused);
  if (!("needs" in report)) return { ...report, folder };
  const { needs } = report;
  if (INSIDE.has(needs) && !inside.has(needs))
    return pythonReport(job, { ...options, inside: [...inside, needs] });
  throw new Error(
    `The file needs the Python module ${needs}, which is not installed for it. Name the package that has it, with its version: --with ${needs}==…`,
  );
}

function requirementsOf(kind: string): Promise<string> {
  return readFile(join(HERE, `requirements-${kind}.txt`), "utf8");
}

/** A package that the user names with another version takes the place of the pinned one. */
function withPackages(requirements: string, packages: readonly string[]): string {
  const names = new Set(packages.map(nameOf));
  const kept = requirements.split("\n").filter((line) => line !== "" && !names.has(nameOf(line)));
  return [...kept, ...packages, ""].join("\n");
}

function nameOf(requirement: string): string {
  return (/^[\w.-]+/.exec(requirement)?.[0] ?? "")
    .toLowerCase()
    .replaceAll("_", "-")
    .replace(CPU_ONLY, "");
}
