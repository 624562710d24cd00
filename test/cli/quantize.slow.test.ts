import { chmod, cp, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { nearcastProcess, root, snapshot, temporaryFolder } from "./nearcast.ts";

const LIMIT_MS = 300_000;

describe.skipIf(process.platform === "win32")("quantize without a Python that it can use", () => {
  test.for([
    ["no python3 at all", undefined, "there is no python3 on the PATH"],
    [
      "a python3 without venv",
      // It starts the folder and then finds that it cannot go on, as Debian's Python does.
      '#!/bin/sh\n: > "$3/pyvenv.cfg"\necho "ensurepip is not available" >&2\nexit 1\n',
      "Python cannot make a virtual environment (on Debian and Ubuntu: apt install python3-venv). ensurepip is not available",
    ],
    [
      "a python3 whose pip has nothing to install from",
      '#!/bin/sh\n[ "$2" = venv ] || { echo "no such host" >&2; exit 1; }\n/bin/mkdir -p "$3/bin"\n/bin/cp "$0" "$3/bin/python"\n',
      "The quantiser could not be installed with pip: no such host",
    ],
  ] as const)(
    "%s: it says so, and leaves nothing behind",
    { timeout: LIMIT_MS },
    async ([, script, reason]) => {
      // A copy, because the repository may have a finished environment from an earlier run.
      const repository = await temporaryFolder();
      for (const part of ["cli", "functions", "package.json", "models/digits/1"])
        await cp(join(root, part), join(repository, part), { recursive: true });
      await symlink(join(root, "node_modules"), join(repository, "node_modules"));
      const path = await temporaryFolder();
      if (script !== undefined) {
        await writeFile(join(path, "python3"), script);
        await chmod(join(path, "python3"), 0o755);
      }
      const before = await snapshot(repository);

      const outcome = await nearcastProcess(["quantize", "digits", "--int8"], {
        repository,
        env: { PATH: path },
      });
      expect(outcome).toMatchObject({ code: 1, stdout: "" });
      expect(outcome.stderr).toContain(reason);
      expect(await snapshot(repository)).toEqual(before);
    },
  );
});
