import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { buildLambdaFolders } from "../../cli/build/lambda.ts";

const root = join(import.meta.dirname, "../..");

// Only Linux can run the package that it makes, and so compile its code.
test.runIf(process.platform === "linux")(
  "Models without examples do not stop the build: it compiles what the others need",
  async () => {
    const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
    const output = await mkdtemp(join(tmpdir(), "nearcast-output-"));
    onTestFinished(async () => {
      for (const folder of [models, output]) await rm(folder, { recursive: true });
    });
    const options = { entry: "entries/lambda.ts", models, output };
    const architectures = [process.arch as "x64"];
    // The Identity fixtures' manifests have no examples.
    await cp(join(root, "test/fixtures/identity/fp32"), join(models, "fp32"), { recursive: true });
    const [without] = await buildLambdaFolders({ ...options, architectures });
    expect(without?.uncompiled).toBe("no model in the folder answered an example");
    await cp(join(root, "models/iris"), join(models, "iris"), { recursive: true });
    const [withOne] = await buildLambdaFolders({ ...options, architectures });
    expect(withOne?.uncompiled).toBeUndefined();
  },
);
