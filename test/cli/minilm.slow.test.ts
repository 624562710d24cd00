import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { expectClose } from "../harness/close.ts";
import { targets } from "../harness/targets.ts";
import { nearcast, root, succeed } from "./nearcast.ts";
import { canQuantise, hasMiniLm, miniLmExport } from "./quantising.ts";

const LIMIT_MS = 600_000;
const DATA = join(root, "models/search/heldout.jsonl");

describe.skipIf(!canQuantise || !hasMiniLm)("a real MiniLM of 91 MB", () => {
  let models: string;
  const at = () => ["--models", models];
  const reports = new Map<string, string>();

  beforeAll(async () => {
    models = await mkdtemp(join(tmpdir(), "nearcast-minilm-"));
    await succeed(["add", await miniLmExport(), "--name", "minilm", ...at()]);
    for (const form of ["rows", "weights", "dynamic"]) {
      const args = ["--int8", "--form", form, "--version", form, "--data", DATA];
      reports.set(form, await succeed(["quantize", "minilm@1", ...args, ...at()]));
    }
  }, LIMIT_MS);

  /** A number of a form's report. */
  function figure(form: string, before: string): number {
    const [, number] = new RegExp(`${before} ([\\d.e-]+)`).exec(reports.get(form) ?? "") ?? [];
    return Number(number);
  }

  test.for(["rows", "weights"])("%s: the vectors stay, in every batch", (form) => {
    expect(reports.get(form)).toMatch(/^ {2}bytes 9\d{7} → 23\d{6}$/m);
    expect(figure(form, "cosine to the original: mean")).toBeGreaterThan(0.999);
    expect(figure(form, "least")).toBeGreaterThan(0.998);
    expect(reports.get(form)).toMatch(
      /^ {2}recall_at_10 0\.8560 → 0\.8[56]\d\d native, 0\.8[56]\d\d WASM/m,
    );
    expect(reports.get(form)).toContain("INT8 alone and in a batch: the same answers (50 rows)");
    expect(reports.get(form)).not.toContain("depends on the other rows");
  });

  test("weights: native and WASM agree", () => {
    expect(figure("weights", "native and WASM: largest difference")).toBeLessThan(1e-6);
    expect(reports.get("weights")).toMatch(/^nearcast verify minilm@weights --record$/m);
    expect(figure("rows", "native and WASM: largest difference")).toBeGreaterThan(1e-4);
    expect(reports.get("rows")).toContain("With --form weights they agree.");
  });

  test("dynamic: the report says that an answer depends on its batch", () => {
    expect(figure("dynamic", "answer differs by up to")).toBeGreaterThan(0.005);
    expect(figure("dynamic", "least")).toBeLessThan(0.99);
    expect(reports.get("dynamic")).toContain(
      "An answer of this form depends on the other rows of its run. It does not with --form rows, --form weights or --calibrate.",
    );
  });

  test(
    "it fits a Worker's 128 MB in 8 bits, and answers there",
    async () => {
      const tooLarge = await nearcast(["verify", "minilm@1", "--record", ...at()]);
      expect(tooLarge.stderr).toContain("does not fit Cloudflare Workers");
      expect(tooLarge.stderr).toContain("nearcast quantize minilm@1 --int8");
      const shown = await succeed(["verify", "minilm@weights", "--record", "--json", ...at()]);
      const { fit } = JSON.parse(shown) as { fit: { bytes: number; limit: number }[] };
      expect(fit[0]?.limit).toBe(128 * 1024 * 1024);
      expect(fit[0]?.bytes).toBeLessThan(110 * 1024 * 1024);

      await writeFile(join(models, "minilm/release.json"), '{"stable":"weights"}');
      const manifest = await readFile(join(models, "minilm/weights/model.json"), "utf8");
      const { examples } = JSON.parse(manifest) as {
        examples: { input: string; output: number[] }[];
      };
      const worker = await targets.worker({ models });
      try {
        const ask = (path: string) =>
          worker.fetch(`/v1/models/minilm${path}/predict`, {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify({ inputs: examples.map(({ input }) => input) }),
          });
        const answer = await ask("");
        const text = await answer.text();
        expect(answer.status, text).toBe(200);
        const { outputs } = JSON.parse(text) as { outputs: number[][] };
        expectClose(
          outputs,
          examples.map(({ output }) => output),
          1e-4,
        );
        expect((await ask("/versions/1")).status).toBe(507);
      } finally {
        await worker.stop();
      }
    },
    LIMIT_MS,
  );
});
