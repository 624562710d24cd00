import { execFile, execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const page = await readFile(join(root, "docs/clients.md"), "utf8");
export const EXAMPLES = [...page.matchAll(/```(\w+)\n([^]*?)```\s+```text\n([^]*?)```/g)].map(
  ([, language = "", code = "", printed = ""]) => ({ language, code, printed }),
);

/** What runs an example's file. Python is run by test/clients/run.ts, which has the packages. */
const COMMANDS: Record<string, string[]> = {
  sh: ["bash"],
  js: [process.execPath],
  ts: [process.execPath],
  go: ["go", "run"],
};

/** Every example of docs/clients.md in these languages prints what the page says. */
export function examplesPrint(languages: readonly string[]): void {
  let server: NodeServer;
  let folder: string;
  beforeAll(async () => {
    // Below the repository, so that the examples find its packages.
    await mkdir(join(root, ".cache"), { recursive: true });
    folder = await mkdtemp(join(root, ".cache/clients-page-"));
    await writeFile(join(folder, "package.json"), '{"type": "module"}');
    server = await startNodeServer({ cwd: root });
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test.each(EXAMPLES.filter(({ language }) => languages.includes(language)))(
    "$language: $code",
    async ({ language, code, printed }) => {
      const [command, ...args] = COMMANDS[language] ?? [];
      if (!command || !exists(command)) return;
      const file = join(folder, `example.${language}`);
      const here = code
        .replaceAll("http://localhost:8787", server.url)
        .replaceAll("./functions/", "../../functions/");
      await writeFile(file, here);
      const { stdout } = await run(command, [...args, file], { timeout: 200_000, cwd: folder });
      expect(stdout.trim()).toBe(printed.trim());
    },
    240_000,
  );
}

function exists(command: string): boolean {
  try {
    execFileSync(command, [command === "go" ? "version" : "--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
