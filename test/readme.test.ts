import { execFile, spawn, type ChildProcess } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { packageFiles } from "../infra/package-files.ts";
import { s3Environment, succeed } from "./cli/nearcast.ts";
import { shippedModels } from "./harness/models.ts";
import { startS3 } from "./harness/s3-server.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");
const readme = await readFile(join(root, "README.md"), "utf8");
const blocks = [...readme.matchAll(/```sh\n([^]*?)```/g)].map(([, block]) => (block ?? "").trim());

// A user's own node and npm, not the ones that npm puts first for its scripts.
const path = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => !folder.includes("node_modules"))
  .join(delimiter);

const started: ChildProcess[] = [];
let clone = "";
afterAll(async () => {
  // Each command leads a process group of its own, and none but an exited one is without.
  for (const { pid, exitCode } of started)
    if (pid && exitCode === null) process.kill(-pid, "SIGTERM");
  if (clone) await rm(clone, { recursive: true, force: true });
});

/** Starts a command as a user would and waits for a line with a local address. */
async function serve(command: string, cwd: string, marker: RegExp, port: number): Promise<string> {
  const env = { ...process.env, PATH: path, PORT: String(port), CI: "true" };
  const child = spawn(command, { cwd, env, shell: true, detached: true });
  started.push(child);
  let output = "";
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      if (marker.test(output)) resolve();
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", (code) => reject(new Error(`${command} exited with ${code}:\n${output}`)));
  });
  return output;
}

async function curl(line: string, port: number): Promise<unknown> {
  const { stdout } = await run("sh", [
    "-c",
    line.replaceAll("localhost:8787", `localhost:${port}`),
  ]);
  return JSON.parse(stdout);
}

describe("the README's commands", () => {
  test("the first screen has the two commands", () => {
    const firstScreen = readme.split("\n").slice(0, 40).join("\n");
    for (const command of ["npm ci && npm start", "npm ci && npm test"]) {
      expect(firstScreen).toContain(`\`\`\`sh\n${command}\n\`\`\``);
      expect(blocks).toContain(command);
    }
  });

  test(
    "npm ci && npm start in a fresh copy, and the line it prints",
    { timeout: 300_000 },
    async () => {
      clone = await mkdtemp(join(tmpdir(), "nearcast-clone-"));
      const { stdout } = await run(
        "git",
        ["ls-files", "--cached", "--others", "--exclude-standard"],
        {
          cwd: root,
        },
      );
      for (const file of stdout.trim().split("\n"))
        await cp(join(root, file), join(clone, file), { recursive: true });
      const output = await serve("npm ci && npm start", clone, /petal_width": 0.1}}'/, 8791);
      const printed = /curl [^]*?'\n/.exec(output)?.[0] ?? "";
      expect(await curl(printed, 8791)).toMatchObject({
        model: "iris",
        outputs: { label: "setosa" },
      });
      const asked = blocks.filter((block) => block.startsWith("curl"));
      expect(asked.length).toBeGreaterThan(1);
      // In the README's own folder: it names files.
      expect(asked.filter((line) => line.includes("@models/"))).toHaveLength(2);
      expect(asked[0]).toBe(printed.trim().replaceAll(/\n +/g, "\n  ").replaceAll("8791", "8787"));
      for (const line of asked) expect(await curl(line, 8791)).toHaveProperty("outputs");
      const answer = /```json\n(.+)\n```/.exec(readme)?.[1] ?? "";
      expect(await curl(asked[0] ?? "", 8791)).toEqual(JSON.parse(answer));
    },
  );

  test.each([
    ["npm run dev:edge", /Ready on/, 8792],
    ["npm run dev:lambda", /answers at/, 8793],
  ])("%s", { timeout: 300_000 }, async (command, ready, port) => {
    expect(readme).toContain(`\`${command}\``);
    await serve(command, root, ready, port);
    expect(await curl(blocks.find((block) => block.startsWith("curl")) ?? "", port)).toMatchObject({
      outputs: { label: "setosa" },
    });
  });
});

test("the README's table has the figures of the manifests", () => {
  for (const { manifest } of shippedModels) {
    const [main] = manifest.metrics;
    const figure = `${main?.name} ${main?.value.toFixed(3)} (${main?.rows} rows)`;
    const line = readme
      .split("\n")
      .find((row) => row.startsWith(`| \`${manifest.name}\` | ${manifest.task} |`));
    expect(line).toContain(figure);
  }
});

test("the README's line for the bucket puts all files of all models there, released", async () => {
  const [line = ""] = /nearcast push --all --release --to s3:\/\/BUCKET/.exec(readme) ?? [];
  const s3 = await startS3({ buckets: ["BUCKET"] });
  onTestFinished(() => s3.close());
  // Whether the models verify is not the question here.
  const args = [...line.split(" ").slice(1), "--runtime", "native"];
  await succeed(args, s3Environment(s3));
  const models = join(root, "models");
  const keys = await packageFiles(models);
  expect(s3.keys("BUCKET").toSorted()).toEqual(keys);
  for (const key of keys.filter((key) => key.endsWith("/release.json"))) {
    const { stable } = JSON.parse(await readFile(join(models, key), "utf8")) as { stable: string };
    expect(JSON.parse(String(s3.get("BUCKET", key)))).toMatchObject({ stable });
  }
});

test("the README's image is a held-out row", async () => {
  const digits = shippedModels.find(({ manifest }) => manifest.name === "digits");
  const file = await readFile(join(root, "models/digits/seven.png"));
  expect(digits?.heldout[0]).toEqual({ input: file.toString("base64"), label: "7" });
});

test("the README's links lead somewhere", async () => {
  const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link ?? "");
  expect(links.length).toBeGreaterThan(0);
  for (const link of links) await readFile(join(dirname(join(root, "README.md")), link));
});
