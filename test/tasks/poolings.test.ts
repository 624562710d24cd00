import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import { addExport } from "../hugging-face/export-folder.ts";
import { fixture, openService, RUNTIMES } from "./service.ts";

const { texts, vectors } = JSON.parse(
  gunzipSync(await fixture("hugging-face/tasks/poolings.json.gz")).toString(),
) as { texts: string[]; vectors: Record<string, number[][]> };

/** The model whose vectors are pooled so, as its owner says it in model.json. */
async function storeWith(pooling: string): Promise<string> {
  const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
  const { folder } = await addExport(models, "vectors-bert");
  const path = join(folder, "model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as { text: object };
  const { text, ...others } = manifest;
  const own = { ...others, text: { ...text, pooling, normalize: false } };
  await writeFile(path, JSON.stringify(own));
  return models;
}

describe.each(inThisFile(RUNTIMES))("on %s", (runtime) => {
  test.each(Object.keys(vectors))(
    "200 texts have sentence-transformers' vectors by %s",
    async (pooling) => {
      expect(texts).toHaveLength(200);
      const { predict } = openService(await storeWith(pooling), runtime);
      const { outputs } = await predict("vectors-bert", texts);
      const unlike = (outputs as number[][]).flatMap((vector, row) => {
        const wanted = vectors[pooling]?.[row] ?? [];
        const isNear = (value: number, at: number) => Math.abs(value - (wanted[at] ?? NaN)) < 1e-4;
        return vector.length === wanted.length && vector.every(isNear) ? [] : [texts[row]];
      });
      expect(unlike).toEqual([]);
      expect(outputs).toHaveLength(200);
    },
  );
});
