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

/** Whether this command ends well. */
export function runs(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore", timeout: 120_000 });
    return true;
  } catch {
    return false;
  }
}
