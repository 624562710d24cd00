import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readOnnx, writeOnnx } from "../../functions/platform/onnx/model.ts";

const root = join(import.meta.dirname, "../..");
const GATHER = join(root, "test/fixtures/identity/gather/1");

/** The inputs of `table`: a prediction for each is asked equally often. */
export const INDEXES = 10;

/** The tables of `table`'s versions. An index beyond its table fails: 2 of 10 with version `bad`. */
const TABLES = {
  "1": Array.from({ length: INDEXES }, (_, index) => index * 10),
  good: Array.from({ length: INDEXES }, (_, index) => index * 10),
  bad: Array.from({ length: INDEXES - 2 }, (_, index) => index * 10),
  other: Array.from({ length: INDEXES }, (_, index) => index * 10 + (index < 3 ? 1 : 0)),
};

/**
 * A folder with `table` in versions 1, good, bad and other, and with `iris` and `search` in versions 1 and 2, which are
 * the same. Each model is released with `release`.
 */
export async function triedModels(
  release: object,
): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-rollout-"));
  const manifest = JSON.parse(await readFile(join(GATHER, "model.json"), "utf8")) as object;
  const graph = await readFile(join(GATHER, "model.onnx"));
  for (const [version, table] of Object.entries(TABLES)) {
    const onnx = readOnnx(graph);
    const [values] = onnx.graph?.initializer ?? [];
    if (!values) throw new Error("the graph has no table");
    values.dims = [BigInt(table.length)];
    values.floatData = [];
    values.rawData = new Uint8Array(Float32Array.from(table).buffer);
    const bytes = writeOnnx(onnx);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const at = join(folder, "table", version);
    await mkdir(at, { recursive: true });
    await writeFile(join(at, "model.onnx"), bytes);
    const own = {
      ...manifest,
      name: "table",
      version,
      task: "tabular-regression",
      artifact: { file: "model.onnx", sha256, bytes: bytes.length },
      features: [{ name: "index", type: "integer", minimum: 0, maximum: 99 }],
      regression: { output: "value" },
      examples: [{ input: [1], output: { value: 10 } }],
      metrics: [],
    };
    await writeFile(join(at, "model.json"), JSON.stringify(own));
  }
  for (const name of ["iris", "search"]) {
    const source = join(root, "models", name, "1");
    for (const version of ["1", "2"]) {
      const at = join(folder, name, version);
      await cp(source, at, { recursive: true });
      const text = await readFile(join(source, "model.json"), "utf8");
      await writeFile(join(at, "model.json"), JSON.stringify({ ...JSON.parse(text), version }));
    }
  }
  for (const name of ["table", "iris", "search"])
    await writeFile(join(folder, name, "release.json"), JSON.stringify(release));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
