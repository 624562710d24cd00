import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import { addLines, fixture, nearcast, removeLines, snapshot, temporaryFolder } from "./nearcast.ts";

const LIMIT_MS = 300_000;
afterAll(removeLines);

describe("add", () => {
  const bad = {
    "text that is no model": ["README.md", "is a text file"],
    "a truncated model": ["truncated.onnx", "is not a whole ONNX file"],
    "weights outside the folder": [fixture("escaping.onnx"), "must lie beside it"],
    "weights that are not there": ["model.onnx", "does not lie beside it"],
    "a folder that is no export": ["empty", "has no config.json"],
    "a folder with a model alone": ["plain", "Add the file itself: "],
    "a TensorFlow folder": ["tensorflow", "tf2onnx.convert --saved-model"],
    "weights without a graph": ["weights", "Convert it: nearcast convert"],
    "a folder that git-lfs has not filled": ["pointers", "git lfs pull"],
    "an MLflow folder": ["mlflow", "a model of MLflow"],
    "a path that is not there": ["nothing.onnx", "There is nothing at"],
  };
  const folders = {
    empty: {},
    plain: { "model.onnx": "" },
    tensorflow: { "saved_model.pb": "" },
    weights: { "config.json": "{}", "model.safetensors": "" },
    pointers: {
      "config.json": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    },
    mlflow: { MLmodel: "", "model.onnx": "" },
  };

  test.for(inThisFile(Object.entries(bad), 3))(
    "%s is refused, and nothing is written",
    async ([, [file = "", reason = ""]]) => {
      const work = await temporaryFolder();
      for (const [folder, files] of Object.entries(folders)) {
        await mkdir(join(work, folder));
        for (const [name, content] of Object.entries(files))
          await writeFile(join(work, folder, name), content);
      }
      await writeFile(join(work, "README.md"), "# A page\n");
      const whole = await readFile(fixture("line-1.onnx"));
      await writeFile(join(work, "truncated.onnx"), whole.subarray(0, 100));
      await writeFile(join(work, "model.onnx"), await readFile(fixture("external/model.onnx")));
      const models = await temporaryFolder();
      const path = file.startsWith("/") ? file : join(work, file);
      const outcome = await nearcast(["add", path, "--name", "bad", "--models", models]);
      expect(outcome).toMatchObject({ code: 1, stdout: "" });
      expect(outcome.stderr).toContain(reason);
      expect(outcome.stderr.trim().split("\n")).toHaveLength(1);
      expect(await snapshot(models)).toEqual({});
    },
  );

  test(
    "names that are no path segment, columns that do not fit and taken versions are refused",
    async () => {
      const models = await temporaryFolder();
      await addLines(models);
      const before = await snapshot(models);
      const cases = [
        [["--name", "a/b"], "cannot name a model"],
        [["--name", "../x"], "cannot name a model"],
        [["--name", "x", "--version", "1/2"], "cannot name a version"],
        [["--name", "x", "--features", "a,b"], "takes 3 numbers a row"],
        [["--name", "x", "--labels", "a,b"], "--labels need --features"],
        [["--name", "x", "--features", "a,,b"], "--features has an empty name"],
        [["--name", "x", "--features", "a,b,a"], "--features has the name a twice"],
        [["--name", "x", "--file", "model.onnx"], "is a file already"],
        [["--name", "x", "--options", "{}"], "--options need --task"],
        [
          ["--name", "x", "--task", "tabular-regression", "--options", '{"foo": 1}'],
          'What would be the manifest of x@1 is not a valid manifest. "foo" is not known here; regression: is missing',
        ],
        [["--name", "line", "--version", "2"], "a version never changes"],
      ] as const;
      for (const [args, reason] of inThisFile(cases, 3)) {
        const outcome = await nearcast([
          "add",
          fixture("line-1.onnx"),
          ...args,
          "--models",
          models,
        ]);
        expect(outcome.code).toBe(1);
        expect(outcome.stderr).toContain(reason);
        expect(outcome.stderr).not.toContain("/.new-");
      }
      expect(await snapshot(models)).toEqual(before);
    },
    LIMIT_MS,
  );
});
