import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The script of a command that the project has installed, for Node to run. Throws with how to install it. */
export function projectTool(name: "wrangler" | "osls"): string {
  const require = createRequire(join(process.cwd(), "package.json"));
  let path: string;
  try {
    path = require.resolve(`${name}/package.json`);
  } catch {
    throw new Error(`${name} is not installed here. Get it with: npm install --save-dev ${name}`);
  }
  const { bin } = JSON.parse(readFileSync(path, "utf8")) as { bin: Record<string, string> };
  return join(dirname(path), bin[name] ?? "");
}
