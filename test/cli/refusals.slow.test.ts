import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InferenceSession } from "onnxruntime-node";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { startS3 } from "../../cli/local/s3-server.ts";
import {
  addLines,
  fixture,
  nearcast,
  nearcastProcess,
  removeLines,
  root,
  s3Environment,
  snapshot,
  succeed,
  temporaryFolder,
} from "./nearcast.ts";

const LIMIT_MS = 300_000;
/** The version's other runtimes make no difference. */
const NATIVE = { both: ["--runtime", "native"] };
afterAll(removeLines);

describe("verify and push", () => {
  test(
    "examples without outputs, with other outputs, and files that were changed are refused",
    async () => {
      const models = await temporaryFolder();
      await succeed(["add", fixture("line-1.onnx"), "--name", "fresh", "--models", models]);
      await refused(models, "fresh", "have no recorded output", NATIVE);

      await addLines(models);
      const path = join(models, "line/1/model.json");
      const manifest = await readFile(path, "utf8");
      await writeFile(path, manifest.replace('"value": 9', '"value": 9.5'));
      await refused(models, "line@1", "examples[1].output.value is 9, not 9.5", NATIVE);
      await writeFile(
        path,
        manifest.replace('"license"', '"licence"').replace('"task"', '"tasks"'),
      );
      await refused(models, "line@1", "not a valid manifest", NATIVE);
      await writeFile(path, "{,}");
      await refused(models, "line@1", "It is not JSON: ", NATIVE);
      await writeFile(path, manifest);
      const artifact = join(models, "line/1/model.onnx");
      const bytes = await readFile(artifact);
      bytes[bytes.length - 1] = 1;
      await writeFile(artifact, bytes);
      await refused(models, "line@1", "does not match its sha256", NATIVE);
      await writeFile(
        artifact,
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
      );
      await refused(models, "line@1", "model.onnx of line@1 is a git-lfs pointer", NATIVE);
      await rm(artifact);
      await refused(models, "line@1", "lacks its file model.onnx", NATIVE);
    },
    LIMIT_MS,
  );

  test.each(["native", "wasm"])(
    "an example that the graph cannot compute with is one line on standard error, on %s",
    async (runtime) => {
      const models = await temporaryFolder();
      await cp(join(root, "test/fixtures/identity/gather"), join(models, "gather"), {
        recursive: true,
      });
      const path = join(models, "gather/1/model.json");
      const manifest = JSON.parse(await readFile(path, "utf8")) as object;
      const examples = [{ input: { index: [999] } }];
      await writeFile(path, JSON.stringify({ ...manifest, examples }));
      const args = ["verify", "gather", "--models", models, "--runtime", runtime];
      const { code, stderr } = await nearcast(args);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^nearcast: gather@1 does not run on \w+\. Example 0: .*idx=999.*\n$/);
    },
    LIMIT_MS,
  );

  test(
    "a free dimension without examples is refused, and accepted with one",
    async () => {
      const models = await temporaryFolder();
      await succeed(["add", fixture("free-dimension.onnx"), "--name", "free", "--models", models]);
      await refused(models, "free", "has no examples", { verify: ["--record"] });
      const path = join(models, "free/1/model.json");
      const manifest = JSON.parse(await readFile(path, "utf8")) as object;
      const examples = [{ input: { x: [[1, -1, 2]] } }];
      await writeFile(path, JSON.stringify({ ...manifest, examples }));
      await succeed(["verify", "free", "--record", "--models", models]);
      const recorded = JSON.parse(await readFile(path, "utf8")) as { examples: unknown };
      expect(recorded.examples).toEqual([{ ...examples[0], output: { y: [[1, 0, 2]] } }]);
    },
    LIMIT_MS,
  );

  test(
    "an operator that WASM lacks is refused there and runs on native",
    async (context) => {
      const models = await temporaryFolder();
      // The graph is optimised for this processor. On some, nothing is rewritten, and then no operator is missing.
      const path = join(models, "native.onnx");
      const session = await InferenceSession.create(fixture("convolution.onnx"), {
        optimizedModelFilePath: path,
        graphOptimizationLevel: "all",
        logSeverityLevel: 4,
      });
      await session.release();
      context.skip(!(await readFile(path)).includes("nchwc"), "no such operators here");
      await succeed(["add", path, "--name", "native", "--models", models]);
      await succeed(["verify", "native", "--runtime", "native", "--record", "--models", models]);
      await refused(models, "native", "does not run on wasm");
    },
    LIMIT_MS,
  );
});

test(
  "stores that cannot be reached are said to be what they are, and nothing changes",
  async () => {
    const s3 = await startS3({ buckets: ["models"] });
    onTestFinished(() => s3.close());
    const models = await temporaryFolder();
    await addLines(models);
    const env = s3Environment(s3);
    const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _secret, ...anonymous } = env;
    const push = (to: string) => {
      // The version's other runtimes make no difference here.
      return ["push", "line@1", "--models", models, "--runtime", "native", "--to", to];
    };
    for (const [url, environment, reason] of [
      ["s3://models", anonymous, "no credentials"],
      ["s3://nowhere", env, "bucket does not exist"],
      ["r2://models", anonymous, "no credentials"],
      ["r2://models", {}, "CLOUDFLARE_ACCOUNT_ID"],
      ["ftp://models", env, "neither a folder nor"],
    ] as const) {
      const outcome = await nearcast(push(url), { env: environment });
      expect(outcome).toMatchObject({ code: 1, stdout: "" });
      expect(outcome.stderr).toContain(reason);
    }
    s3.behaviour = "forbidden";
    expect((await nearcast(push("s3://models"), { env })).stderr).toContain("refuses");
    expect(s3.keys("models")).toEqual([]);
  },
  LIMIT_MS,
);

test("wrong usage ends with 2, help with 0", async () => {
  for (const args of [
    ["verify"],
    ["nonsense"],
    ["push", "line"],
    ["verify", "x", "--runtime", "gpu"],
  ])
    expect((await nearcastProcess(args)).code).toBe(2);
  for (const args of [["--help"], ["gate", "--help"]]) {
    const { code, stdout } = await nearcastProcess(args);
    expect(code).toBe(0);
    expect(stdout).toContain("Usage: nearcast");
  }
});

/** `verify` and `push` refuse the model for this reason, and write nothing. */
async function refused(
  models: string,
  model: string,
  reason: string,
  { both = [], verify = [] }: { both?: string[]; verify?: string[] } = {},
) {
  const store = join(await temporaryFolder(), "store");
  const before = await snapshot(models);
  const verified = await nearcast(["verify", model, "--models", models, ...both, ...verify]);
  expect(verified.code).toBe(1);
  expect(verified.stderr).toContain(reason);
  const pushed = await nearcast(["push", model, "--models", models, "--to", store, ...both]);
  expect(pushed.code).toBe(1);
  expect(await snapshot(models)).toEqual(before);
  await expect(snapshot(store)).rejects.toThrow("ENOENT");
}
