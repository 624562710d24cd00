import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../cli/free-port.ts";
import { asUser } from "../harness/as-a-user.ts";
import { inProject, installExample, type Example } from "./example.ts";

const LIMIT_MS = 600_000;
const root = join(import.meta.dirname, "../..");
const environments = [".cache/training-venv", ".venv"].map((folder) =>
  join(root, folder, "bin/python"),
);
const python = [...environments, "python3"].find(canTrain);
if (!python)
  console.log(
    "Python has no scikit-learn and skl2onnx: the example that trains is skipped. python3 -m venv .cache/training-venv && .cache/training-venv/bin/pip install -r examples/retraining/requirements.txt",
  );

function canTrain(command: string): boolean {
  try {
    execFileSync(command, ["-c", "import sklearn, skl2onnx"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

let example: Example;
beforeAll(async () => {
  example = await installExample("retraining");
}, LIMIT_MS);
afterAll(() => example.remove());

test("its types are right", async () => {
  await inProject(example.folder, "typescript/bin/tsc", ["-p", "."]);
});

describe.skipIf(!python)("with Python", () => {
  test(
    "drift is found, and a version that was trained on what was captured answers everybody",
    async () => {
      const env = { PYTHON: python ?? "", PORT: String(await freePort()) };
      const printed = await asUser("npm start", example.folder, { env });
      expect(printed).toContain("flowers@1 has shifted from its training data");
      expect(printed).toMatch(/! petal_length: shifted upward/);
      expect(printed).toMatch(/captured\.csv has 600 rows\. 0 inputs have no outcome/);
      expect(printed).toMatch(
        /accuracy of flowers@2 is .* a gain of 0\.\d+, and 0\.05 is asked for/,
      );
      expect(printed).toMatch(/flowers has the last share of its steps/);
      expect(printed).toContain("flowers@2 answers everybody");
      const [, before, after] =
        /version 1 was right in (\d+) %, version 2 is in (\d+) %/.exec(printed) ?? [];
      expect(Number(after)).toBeGreaterThan(Number(before) + 5);
    },
    LIMIT_MS,
  );
});
