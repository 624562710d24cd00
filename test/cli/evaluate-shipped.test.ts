import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import { root, succeed } from "./nearcast.ts";

const LIMIT_MS = 300_000;

interface Evaluation {
  rows: number;
  metrics: Record<string, number>;
}

test.each(
  inThisFile([
    "search",
    "iris",
    "sentiment",
    "digits",
    "diabetes",
    "retail",
    "rank",
    "entities",
    "anomaly",
    "objects",
  ]),
)(
  "eval gives the metrics that the manifest of %s says, on both runtimes",
  async (model) => {
    const text = await readFile(join(root, `models/${model}/1/model.json`), "utf8");
    const { metrics } = JSON.parse(text) as {
      metrics: { name: string; value: number; rows: number }[];
    };
    for (const runtime of ["native", "wasm"]) {
      const data = `models/${model}/heldout.jsonl`;
      const args = ["eval", `${model}@1`, "--data", data, "--runtime", runtime, "--json"];
      const evaluation = JSON.parse(await succeed(args)) as Evaluation;
      // A baseline beside the model (…_of_…) is not a metric of the model.
      for (const { name, value, rows } of metrics.filter(({ name }) => !name.includes("_of_"))) {
        // Another processor sums otherwise, and a box that is a pixel off may fall below one of the ten overlaps.
        expect(evaluation.metrics[name]).toBeCloseTo(value, model === "objects" ? 3 : 6);
        expect(evaluation.rows).toBe(rows);
      }
    }
  },
  LIMIT_MS,
);
