import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectTool } from "../project-tool.ts";

type Tool = "wrangler" | "osls";

const SILENCE = { SLS_INTERACTIVE_SETUP_ENABLE: "0", WRANGLER_SEND_METRICS: "false" };

/** Runs the project's wrangler or osls on this terminal. Rejects when it fails. The tool itself says why. */
export async function runTool(
  tool: Tool,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<void> {
  const child = spawn(process.execPath, [projectTool(tool), ...args], {
    stdio: "inherit",
    env: { ...process.env, ...SILENCE, ...env },
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${tool} ${args.join(" ")} ended with ${code}.`);
}

/** Resolves to what the tool prints. When it fails, rejects with what it said. */
export async function askTool(tool: Tool, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [projectTool(tool), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...SILENCE, NO_COLOR: "1", FORCE_COLOR: "0" },
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  if (code === 0) return output;
  throw new Error(`${errors}\n${output}`.trim() || `${tool} ended with ${code}`);
}

/** Runs wrangler on this terminal. Gives what it says for programs about the kind of its work: `deploy`, `preview`. */
export async function runWrangler(
  args: readonly string[],
  type: string,
): Promise<Record<string, unknown>> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-wrangler-"));
  const file = join(folder, "output.ndjson");
  try {
    await runTool("wrangler", args, { WRANGLER_OUTPUT_FILE_PATH: file });
    const text = await readFile(file, "utf8").catch(() => "");
    const lines = text.split("\n").filter((line) => line !== "");
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    return entries.find((entry) => entry["type"] === type) ?? {};
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The line of a tool's text that says what failed. */
export function lastLine(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.find((line) => /error/i.test(line)) ?? lines.findLast((line) => line !== "") ?? "";
}
