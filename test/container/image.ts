import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { copyContext } from "./context.ts";
import { execOf, readDockerfile, textsOf, variablesOf, type Stage } from "./dockerfile.ts";
import { copyBase } from "./roots.ts";

const run = promisify(execFile);

/** The files that an image would have, and what its last stage says. */
export interface Image {
  root: string;
  stage: Stage;
  remove: () => Promise<void>;
}

export interface Context {
  /** The folder whose files COPY takes: those that its .dockerignore leaves. */
  folder: string;
  /** Folders of this machine that the steps see too, by their paths there. */
  mounts?: Record<string, string>;
}

/**
 * Carries out a Dockerfile's instructions without Docker: each stage is a folder that begins as its base image, RUN runs in
 * it as its root, COPY copies. Throws for an instruction that it does not know.
 */
export async function buildImage(dockerfile: string, context: Context): Promise<Image> {
  const work = await mkdtemp(join(tmpdir(), "nearcast-image-"));
  const stages = readDockerfile(await readFile(dockerfile, "utf8"));
  const folder = join(work, "context");
  await copyContext(context.folder, folder);
  const roots = new Map<string, string>();
  for (const [index, stage] of stages.entries()) {
    const root = join(work, String(index));
    await copyBase(stage.from, root);
    roots.set(stage.name ?? String(index), root);
    await buildStage(stage, root, roots, { ...context, folder });
  }
  const stage = stages.at(-1);
  const root = stage && roots.get(stage.name ?? String(stages.length - 1));
  if (!root) throw new Error(`${dockerfile} has no stage`);
  return { root, stage, remove: () => rm(work, { recursive: true, force: true }) };
}

/** Only described here, or nothing that files or commands depend on. */
const DESCRIBED = new Set(["ARG", "ENV", "EXPOSE", "USER", "VOLUME", "HEALTHCHECK", "ENTRYPOINT"]);

async function buildStage(
  stage: Stage,
  root: string,
  roots: ReadonlyMap<string, string>,
  context: Context,
): Promise<void> {
  let workdir = "/";
  for (const { instruction, text } of stage.steps)
    if (instruction === "WORKDIR") {
      workdir = text;
      await mkdir(join(root, workdir), { recursive: true });
    } else if (instruction === "COPY") await copy(text, join(root, workdir), root, roots, context);
    else if (instruction === "RUN") await runStep(text, workdir, root, context);
    else if (!DESCRIBED.has(instruction)) throw new Error(`${instruction} is not rehearsed`);
}

async function copy(
  text: string,
  workdir: string,
  root: string,
  roots: ReadonlyMap<string, string>,
  { folder }: Context,
): Promise<void> {
  const words = text.split(" ");
  const flags = new Map(
    words
      .filter((word) => word.startsWith("--"))
      .map((word) => word.slice(2).split("=") as [string, string]),
  );
  const paths = words.filter((word) => !word.startsWith("--"));
  const target = paths.pop() ?? "";
  const from = flags.get("from");
  const base = from === undefined ? folder : roots.get(from);
  if (base === undefined) throw new Error(`COPY --from=${from}: there is no such stage`);
  const to = target.startsWith("/") ? join(root, target) : join(workdir, target);
  // As with Docker, the content of a folder is copied, and patterns are those of a shell.
  const script = `cd "$0" && to=$1 && shift && for one in $*; do
    if [ -d "./$one" ]; then mkdir -p "$to" && cp -a "./$one/." "$to"; elif [ -e "./$one" ]; then
      case $to in */) mkdir -p "$to" ;; *) mkdir -p "$(dirname "$to")" ;; esac; cp -a "./$one" "$to"; fi; done`;
  await run("sh", ["-c", script, base, target.endsWith("/") ? `${to}/` : to, ...paths]);
  const owner = flags.get("chown");
  if (owner !== undefined) await run("chown", ["-R", owner, to]);
}

async function runStep(command: string, workdir: string, root: string, { mounts = {} }: Context) {
  const seen = { ...(await network()), ...mounts };
  const binds = Object.entries(seen).flatMap(([path, source]) => [
    `if [ -d '${source}' ]; then mkdir -p "$0${path}"; else mkdir -p "$(dirname "$0${path}")" && touch "$0${path}"; fi`,
    `mount --bind '${source}' "$0${path}"`,
  ]);
  const script = [
    "set -e",
    'mount -t proc proc "$0/proc"',
    'mount --rbind /dev "$0/dev"',
    ...binds,
    'exec chroot "$0" /bin/sh -c "$1"',
  ].join("\n");
  const isolated = ["--mount", "--pid", "--fork", "--propagation", "private", "sh", "-c", script];
  const env = { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", HOME: "/root" };
  const options = { env: { ...env, ...SETTINGS }, maxBuffer: 64 * 1024 * 1024 };
  await run("unshare", [...isolated, root, `cd ${workdir} && ${command}`], options);
}

/** What a builder has beside the image: names, certificates, and npm's cache. */
async function network(): Promise<Record<string, string>> {
  const { stdout } = await run("npm", ["config", "get", "cache"]);
  const certificates = process.env["NODE_EXTRA_CA_CERTS"];
  return {
    "/etc/resolv.conf": "/etc/resolv.conf",
    "/etc/hosts": "/etc/hosts",
    "/root/.npm": stdout.trim(),
    ...(certificates !== undefined && { "/etc/ssl/builder.pem": certificates }),
  };
}

const SETTINGS = {
  NODE_EXTRA_CA_CERTS: "/etc/ssl/builder.pem",
  npm_config_prefer_offline: "true",
  npm_config_audit: "false",
  npm_config_update_notifier: "false",
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) =>
      /^(https?_proxy|no_proxy|npm_config_registry)$/i.test(name),
    ),
  ),
};

export interface Container {
  /** Of the process that is number 1 in the container. */
  pid: number;
  output: () => string;
  /** Runs a command in the container as its user. Resolves to its exit code and what it printed. */
  exec: (
    command: readonly string[],
    env?: Record<string, string>,
  ) => Promise<{ code: number; output: string }>;
  /** The exit code of the image's own health check, with variables changed. */
  health: (env?: Record<string, string>) => Promise<number>;
  /** Sends SIGTERM. Resolves to the exit code. */
  stop: () => Promise<number | null>;
  kill: () => Promise<void>;
}

/**
 * Starts the image's ENTRYPOINT as its user, with no other variables than the image's and these, in a root that cannot be
 * written. Only its volumes can be written, which are empty and in memory. `mounts` are read-only.
 */
export async function startContainer(
  { root, stage }: Image,
  { env = {}, mounts = {} }: { env?: Record<string, string>; mounts?: Record<string, string> } = {},
): Promise<Container> {
  const variables = { PATH: "/usr/local/bin:/usr/bin:/bin", ...variablesOf(stage), ...env };
  const [user = ""] = textsOf(stage, "USER");
  const [uid = "", gid = ""] = user.split(":");
  const volumes = textsOf(stage, "VOLUME").flatMap((text) => JSON.parse(text) as string[]);
  for (const path of Object.keys(mounts)) await mkdir(join(root, path), { recursive: true });
  await writeFile(join(root, "etc/resolv.conf"), "");
  const script = [
    "set -e",
    'mount --bind "$0" "$0"',
    ...["null", "urandom", "random", "zero"].map(
      (device) => `touch "$0/dev/${device}"; mount --bind /dev/${device} "$0/dev/${device}"`,
    ),
    ...Object.entries(mounts).flatMap(([path, source]) => [
      `mount --bind '${source}' "$0${path}"`,
      `mount -o remount,bind,ro "$0${path}"`,
    ]),
    'mount -o remount,bind,ro "$0"',
    'mount -t proc proc "$0/proc"',
    ...volumes.map((path) => `mount -t tmpfs -o uid=${uid},gid=${gid},mode=700 tmpfs "$0${path}"`),
    `exec setpriv --no-new-privs env -i "$@"`,
  ].join("\n");
  const command = [
    ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    "/usr/sbin/chroot",
    `--userspec=${uid}:${gid}`,
    "--groups=",
    root,
    ...execOf(stage, "ENTRYPOINT"),
  ];
  const isolation = ["--mount", "--pid", "--fork", "--propagation", "private"];
  const child = spawn("unshare", [...isolation, "sh", "-c", script, root, ...command], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, "close") as Promise<[number | null]>;
  const pid = async () =>
    Number(await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8"));
  const deadline = Date.now() + 30_000;
  while (!output.includes("Nearcast serves") && child.exitCode === null && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 50));
  if (!output.includes("Nearcast serves")) {
    child.kill("SIGKILL");
    throw new Error(`the container did not start: ${output}`);
  }
  const first = await pid().catch(() => {
    throw new Error(`the container ended: ${output}`);
  });
  const exec = async (inside: readonly string[], changed: Record<string, string> = {}) => {
    const enter = [
      "--target",
      String(first),
      "--mount",
      "--pid",
      "--root",
      "--wd",
      `--setuid=${uid}`,
      `--setgid=${gid}`,
    ];
    const settings = Object.entries({ ...variables, ...changed }).map(
      ([name, value]) => `${name}=${value}`,
    );
    const done = await run("env", [
      "-i",
      ...settings,
      "/usr/bin/nsenter",
      ...enter,
      ...inside,
    ]).then(
      ({ stdout, stderr }) => ({ code: 0, output: `${stdout}${stderr}` }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        output: `${error.stdout}${error.stderr}`,
      }),
    );
    return done;
  };
  return {
    pid: first,
    output: () => output,
    exec,
    health: async (changed) => (await exec(execOf(stage, "HEALTHCHECK"), changed)).code,
    async stop() {
      process.kill(first, "SIGTERM");
      return (await ended)[0];
    },
    async kill() {
      // Its end ends the namespace, and with it what is left in it.
      if (child.exitCode === null) process.kill(first, "SIGKILL");
      await ended;
    },
  };
}
