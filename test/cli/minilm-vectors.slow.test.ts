import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { openPackage } from "../../cli/package-folder.ts";
import { openPredictor } from "../../cli/predictor.ts";
import { readFileSync } from "node:fs";
import { expectClose } from "../harness/close.ts";
import { fixture, succeed } from "./nearcast.ts";
import { canQuantise, hasMiniLm, miniLmExport } from "./quantising.ts";

// What record_minilm.py recorded: the first numbers of each vector.
const { texts, vectors } = JSON.parse(
  gunzipSync(readFileSync(fixture("minilm.json.gz"))).toString(),
) as { texts: string[]; vectors: number[][] };

describe.skipIf(!canQuantise || !hasMiniLm)("a real MiniLM", () => {
  let models: string;
  beforeAll(async () => {
    models = await mkdtemp(join(tmpdir(), "nearcast-minilm-"));
    await succeed(["add", await miniLmExport(), "--name", "minilm", "--models", models]);
  });

  test.for(["native", "wasm"] as const)(
    "200 texts have the vectors of sentence-transformers on %s",
    async (runtime) => {
      expect(texts).toHaveLength(200);
      const predictor = await openPredictor(await openPackage(models, { name: "minilm" }), runtime);
      const made = (await predictor.predict(texts)) as number[][];
      expect(new Set(made.map(({ length }) => length))).toEqual(new Set([384]));
      expectClose(
        made.map((vector) => vector.slice(0, 32)),
        vectors,
        1e-4,
      );
    },
  );
});
