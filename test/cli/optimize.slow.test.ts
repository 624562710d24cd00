import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { largeModel } from "./large-model.ts";
import { fixture, nearcast, snapshot, succeed, temporaryFolder } from "./nearcast.ts";

const LIMIT_MS = 400_000;

test(
  "a model that is too large for Workers is refused, and fits once it is optimised",
  async () => {
    const models = await temporaryFolder();
    const path = join(models, "large.onnx");
    await writeFile(path, largeModel(2900));
    const at = ["--models", models];
    await succeed(["add", path, "--name", "large", ...at]);
    const native = await succeed(["verify", "large", "--runtime", "native", "--record", ...at]);
    expect(native).toMatch(
      /Cloudflare Workers: spills, since its files take 32\.1 MiB of 32\.0 MiB/,
    );
    expect(native).toMatch(/Spilled to Lambda: a million calls cost about \$\d+\.\d\d,/);
    const refused = await nearcast(["verify", "large", ...at]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /does not fit Cloudflare Workers: .* the limit is 128.0 MiB\. Try: nearcast optimize large@1; or nearcast quantize large@1 --int8; or nearcast verify/,
    );
    const before = await snapshot(join(models, "large/1"));

    const shown = await succeed(["optimize", "large", ...at]);
    expect(shown).toMatch(/^as it is .*\noptimised graph /m);
    expect(shown).toContain("large@2 is in");
    // What was tried is not offered again. A Worker would take it with a larger SESSION_BUDGET_MB.
    expect(shown).toContain("Workers: does not fit, since its files take 32.1 MiB of 32.0 MiB");
    expect(shown).toMatch(/AWS Lambda: fits, with \d+\.\d MiB for a session/);
    expect(shown).toContain("Try: nearcast quantize large@2 --int8");
    expect(shown).not.toContain("Try: nearcast optimize");
    expect(await snapshot(join(models, "large/1"))).toEqual(before);
    const manifest = await readFile(join(models, "large/2/model.json"), "utf8");
    expect(JSON.parse(manifest)).toMatchObject({
      version: "2",
      artifact: { file: "model.onnx", externalData: [{ file: "model.data" }] },
    });

    const verified = JSON.parse(await succeed(["verify", "large@2", "--json", ...at])) as {
      fit: { bytes: number; limit?: number }[];
    };
    expect(verified.fit[0]?.bytes).toBeLessThan(verified.fit[0]?.limit ?? 0);
  },
  LIMIT_MS,
);

test(
  "a model that nothing helps stays as it is",
  async () => {
    const models = await temporaryFolder();
    await succeed(["add", fixture("line-1.onnx"), "--name", "small", "--models", models]);
    const before = await snapshot(models);
    const shown = await succeed(["optimize", "small", "--models", models]);
    expect(shown).toContain("Nothing helps: small@1 stays as it is");
    expect(shown).toMatch(
      /Cloudflare Workers: fits, with \d+\.\d MiB of 128\.0 MiB while it loads/,
    );
    expect(shown).not.toContain("Try:");
    expect(await snapshot(models)).toEqual(before);
  },
  LIMIT_MS,
);
