import { execFile } from "node:child_process";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { projectFiles } from "../../cli/init/project.ts";
import { projectTool } from "../../cli/project-tool.ts";

const root = join(import.meta.dirname, "../..");

/** What wrangler says that a Worker of this environment has. The paths are those of this repository. */
async function bindings(environment: string, toml: string): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-worker-"));
  const config = join(folder, "wrangler.toml");
  const text = toml
    .replace(/^main = .*/m, `main = "${join(root, "entries/worker.ts")}"`)
    .replace(/^directory = .*/m, `directory = "${join(root, "dist/assets")}"`)
    .replace(/^\[build\]\ncommand = .*/m, "");
  await writeFile(config, text);
  const args = ["deploy", "--dry-run", `--env=${environment}`, "--outdir", join(folder, "out")];
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [projectTool("wrangler"), ...args, "--config", config],
    { cwd: root, env: { ...process.env, NO_COLOR: "1", WRANGLER_SEND_METRICS: "false" } },
  );
  expect(stderr).not.toMatch(/warning/i);
  return [...stdout.matchAll(/^env\.(.*?\S) {2,}/gm)].map(([, binding = ""]) => binding).toSorted();
}

test("each environment of the Worker has a bucket, queues and a rate of its own", async () => {
  const toml = await readFile(join(root, "wrangler.toml"), "utf8");
  for (const [environment, rate] of [
    ["staging", 100],
    ["production", 1000],
  ] as const)
    expect(await bindings(environment, toml)).toEqual([
      "ASSETS",
      `JOBS (nearcast-jobs-${environment})`,
      `MODELS (nearcast-models-${environment})`,
      "MODEL_STATE (ModelState)",
      `RATE_LIMIT ("${rate}/60s")`,
      `RATE_LIMIT_${rate}_60 (${rate} requests/60s)`,
    ]);
});

test("a project's Worker has no queues until they are asked for", async () => {
  const files = projectFiles({ name: "flowers", platforms: ["cloudflare"] });
  expect(await bindings("production", String(files.get("wrangler.toml")))).toEqual([
    "ASSETS",
    "MODELS (flowers-models-production)",
    "MODEL_STATE (ModelState)",
    'RATE_LIMIT ("1000/60s")',
    "RATE_LIMIT_1000_60 (1000 requests/60s)",
  ]);
});
