// `npm run check:operations`: the linters of the files that operate Nearcast, here and in the projects that `init` makes.
// `.ci/run` installs them into .cache. One that is not there is named, and what it would check is not checked.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { PLATFORMS, projectFiles } from "../cli/init/project.ts";
import { packageStacks } from "./package-stacks.ts";

export interface Linter {
  /** Its command. */
  name: string;
  /** Patterns of the files it checks, below a folder. */
  files: readonly string[];
  /** Its arguments for these files, relative to the folder it runs in. */
  arguments: (files: string[]) => string[];
  /** Whether it takes one file at a time. */
  each?: true;
}

const root = join(import.meta.dirname, "..");
const WORKFLOWS = [".github/workflows/*.yml", ".github/actions/*/action.yml"];

export const LINTERS: readonly Linter[] = [
  { name: "shellcheck", files: [".ci/run", "infra/**/*.sh"], arguments: (files) => files },
  {
    name: "actionlint",
    files: [".github/workflows/*.yml"],
    // It has shellcheck look at the scripts in workflows.
    arguments: (files) => ["-no-color", `-shellcheck=${find("shellcheck") ?? ""}`, ...files],
  },
  {
    name: "zizmor",
    files: WORKFLOWS,
    arguments: (files) => ["--offline", "--no-progress", "--color=never", ...files],
  },
  {
    name: "cfn-lint",
    // What osls makes of serverless.yml. W3005 is about orders that osls writes down twice.
    files: [".cache/stacks/*.json"],
    arguments: (files) => ["--ignore-checks", "W3005", "--", ...files],
  },
  {
    name: "hadolint",
    files: ["Dockerfile", "infra/container/*.Dockerfile"],
    arguments: (files) => files,
  },
  {
    // What docker compose config does, by the same library. .ci/run gives its command this name.
    name: "compose-config",
    files: ["infra/container/compose.yml"],
    arguments: (files) => files,
  },
  {
    name: "promtool",
    files: ["infra/container/prometheus/prometheus.yml"],
    arguments: (files) => ["check", "config", "--syntax-only", ...files],
  },
  {
    name: "kubernetes-validate",
    // Not what Kubernetes itself does not know: kustomize's own files, and resources of KEDA, Knative and KServe.
    files: [
      "infra/kubernetes/base/!(kustomization).yaml",
      "infra/kubernetes/overlays/claim/claim.yaml",
    ],
    arguments: (files) => ["--strict", "--kubernetes-version", "1.35", ...files],
  },
  {
    name: "kustomize",
    files: ["infra/kubernetes/**/kustomization.yaml"],
    arguments: (files) => ["build", ...files.map((file) => dirname(file))],
    each: true,
  },
];

/** What the linter says about its files in the folder. Undefined: nothing is wrong. */
export function lint(linter: Linter, folder: string): string | undefined {
  const command = find(linter.name);
  if (command === undefined) throw new Error(`${linter.name} is not installed`);
  const files = linter.files.flatMap((pattern) => globSync(pattern, { cwd: folder })).toSorted();
  if (files.length === 0) return undefined;
  const calls = linter.each ? files.map((file) => [file]) : [files];
  const said = calls.flatMap((own) => {
    const { status, stdout, stderr, error } = spawnSync(command, linter.arguments(own), {
      cwd: folder,
      encoding: "utf8",
    });
    if (error) throw error;
    return status === 0 ? [] : [`${stdout}${stderr}`];
  });
  return said.length > 0 ? said.join("\n") : undefined;
}

/** The linter's executable, from .cache or the PATH. */
export function find(name: string): string | undefined {
  const folders = [".cache/lint-venv/bin", ".cache/lint-bin"].map((folder) => join(root, folder));
  return [...folders, ...(process.env.PATH ?? "").split(delimiter)]
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
}

/** Projects for each platform alone and for all, as `nearcast init` makes them. */
function makeProjects(): string[] {
  const made = join(root, ".cache/lint-projects");
  rmSync(made, { recursive: true, force: true });
  return [PLATFORMS, ...PLATFORMS.map((platform) => [platform])].map((platforms) => {
    const name = `for-${platforms.join("-")}`;
    for (const [path, content] of projectFiles({ name, platforms })) {
      const file = join(made, name, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
    return join(made, name);
  });
}

async function writeStacks(folder: string): Promise<void> {
  const output = join(folder, ".cache/stacks");
  mkdirSync(output, { recursive: true });
  for (const [name, template] of await packageStacks(folder))
    writeFileSync(join(output, `${name}.json`), template);
}

async function check(): Promise<void> {
  const folders = [root, ...makeProjects()];
  if (find("cfn-lint") !== undefined)
    for (const folder of folders)
      if (existsSync(join(folder, "serverless.yml"))) await writeStacks(folder);
  for (const linter of LINTERS) {
    if (find(linter.name) === undefined) {
      console.log(`${linter.name} is not installed: ${linter.files.join(", ")} are not checked`);
      continue;
    }
    const wrong = folders.flatMap((folder) => {
      const said = lint(linter, folder);
      return said === undefined ? [] : [`${folder}:\n${said}`];
    });
    console.log(
      `${linter.name}: ${wrong.length > 0 ? `\n${wrong.join("\n")}` : "nothing is wrong"}`,
    );
    if (wrong.length > 0) process.exitCode = 1;
  }
}

if (import.meta.main) await check();
