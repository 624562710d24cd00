import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nearcast, snapshot, succeed, temporaryFolder } from "./nearcast.ts";
import { canQuantise, quantiserPython } from "./quantising.ts";

const LIMIT_MS = 300_000;

describe.skipIf(!canQuantise)("weights that lie in a graph in another way", () => {
  let graphs: string;
  beforeAll(async () => {
    graphs = await mkdtemp(join(tmpdir(), "nearcast-weights-"));
    await promisify(execFile)(quantiserPython, [join(import.meta.dirname, "weights.py"), graphs]);
  });

  afterAll(() => rm(graphs, { recursive: true, force: true }));

  /** The graph as `weights@1` in a folder of its own. */
  async function added(graph: string): Promise<string> {
    const models = await temporaryFolder();
    const file = join(graphs, `${graph}.onnx`);
    await succeed(["add", file, "--name", "weights", "--models", models]);
    return models;
  }

  test.for([
    ["constant", "weights"],
    ["constant", "dynamic"],
    ["transposed", "weights"],
    ["transposed", "dynamic"],
    ["passed-on", "rows"],
    ["passed-on", "dynamic"],
    ["inputs-too", "rows"],
    ["inputs-too", "weights"],
    ["inputs-too", "dynamic"],
    ["ir-3", "weights"],
    ["ir-3", "dynamic"],
    ["names-taken", "rows"],
    ["names-taken", "weights"],
  ] as const)(
    "%s, --form %s: they are in bytes, and the answers stay",
    { timeout: LIMIT_MS },
    async ([graph, form]) => {
      const { stdout, stderr } = await quantize(await added(graph), "--form", form);
      const [, before, after] = /bytes (\d+) → (\d+)/.exec(stdout) ?? [];
      expect(Number(after) / Number(before), stderr).toBeLessThan(0.35);
      const [, difference] = /original and INT8: largest difference ([\d.]+)/.exec(stdout) ?? [];
      expect(Number(difference)).toBeLessThan(0.3);
    },
  );

  test.for([
    ["half", "rows", "1 has numbers of FLOAT16 and not of FLOAT."],
    ["half", "dynamic", "The graph has weights of FLOAT16, and this form takes FLOAT alone."],
    ["small", "rows", "1 has fewer than 1024 numbers."],
    ["small", "dynamic", "1 has fewer than 1024 numbers."],
    ["narrow-table", "rows", "so nothing is won by quantising it."],
    ["names-taken", "dynamic", "The graph has w and w_scale, which is what this form would add."],
  ] as const)(
    "%s, --form %s: refused with the reason, and nothing is left behind",
    { timeout: LIMIT_MS },
    async ([graph, form, reason]) => {
      const models = await added(graph);
      const before = await snapshot(models);
      const refused = await quantize(models, "--form", form);
      expect(refused).toMatchObject({ code: 1, stdout: "" });
      expect(refused.stderr).toContain(reason);
      expect(await snapshot(models)).toEqual(before);
    },
  );

  test.for([
    ["transposed", "rows"],
    ["transposed", "weights"],
    ["transposed", "dynamic"],
    ["table", "rows"],
  ] as const)(
    "%s, --form %s: what was made is not quantised again",
    { timeout: LIMIT_MS },
    async ([graph, form]) => {
      const models = await added(graph);
      expect(await quantize(models, "--form", form)).toMatchObject({ code: 0 });
      const before = await snapshot(models);
      const again = await quantize(models, "--form", "weights");
      expect(again).toMatchObject({ code: 1, stdout: "" });
      expect(again.stderr).toContain("weights@2 is quantised already.");
      expect(await snapshot(models)).toEqual(before);
    },
  );

  test("says where no tolerance makes sense", { timeout: LIMIT_MS }, async () => {
    const { stdout } = await quantize(await added("wild"));
    expect(stdout).toContain("this form should not be used. With --form weights they agree.");
    expect(stdout).not.toContain("--tolerance");
  });

  test("optimize says by how many bytes files would grow", { timeout: LIMIT_MS }, async () => {
    const models = await added("transposed");
    await quantize(models, "--form", "weights");
    await succeed(["verify", "weights@2", "--record", "--tolerance", "0.2", "--models", models]);
    const shown = await succeed(["optimize", "weights@2", "--models", models]);
    const [, from, to] = /files would grow from (\d+) bytes to (\d+):/.exec(shown) ?? [];
    expect(Number(to)).toBeGreaterThan(Number(from));
  });
});

function quantize(models: string, ...args: string[]) {
  return nearcast(["quantize", "weights", "--int8", "--models", models, ...args]);
}
