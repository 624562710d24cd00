import { execFileSync } from "node:child_process";
import { join } from "node:path";

const venv = join(import.meta.dirname, "../../.cache/clients-venv");
export const MAKE_VENV =
  "python3 -m venv .cache/clients-venv && .cache/clients-venv/bin/pip install -r test/clients/requirements.txt";

/** Python with the clients of requirements.txt. Undefined if they are not installed. */
export function findPython(): string | undefined {
  const python = join(venv, "bin/python");
  return runs(python, "-c", "import kserve, mlflow, openai, pandas, tritonclient")
    ? python
    : undefined;
}

const textsVenv = join(import.meta.dirname, "../../.cache/texts-venv");
export const MAKE_TEXTS_VENV =
  "python3 -m venv .cache/texts-venv && .cache/texts-venv/bin/pip install -r test/clients/texts-requirements.txt";

/** Python with the clients of texts-requirements.txt. Undefined if they are not installed. */
export function findTextsPython(): string | undefined {
  const python = join(textsVenv, "bin/python");
  return runs(python, "-c", "import cohere, huggingface_hub, numpy") ? python : undefined;
}

/** The path of a browser that can run without a screen. Undefined if there is none. */
export function findBrowser(): string | undefined {
  const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
  const found = [process.env["CHROME_PATH"] ?? "", ...names].find(
    (name) => name && runs(name, "--version"),
  );
  if (found === undefined) return undefined;
  return execFileSync("sh", ["-c", 'command -v "$0"', found], { encoding: "utf8" }).trim();
}

function runs(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore", timeout: 120_000 });
    return true;
  } catch {
    return false;
  }
}
