import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Feature, TensorInfo } from "../../functions/model/manifest.ts";
import type { TargetStore } from "../harness/targets.ts";

const FOLDER = new URL("../fixtures/tabular/", import.meta.url);

/** A model, rows, and what its own library answers. A missing value is null. */
export interface TableCase {
  name: string;
  about: string;
  task: "tabular-classification" | "tabular-regression";
  inputs: TensorInfo[];
  outputs: TensorInfo[];
  features: Feature[];
  labels?: string[];
  output: string;
  rows: unknown[][];
  /** The rows as pandas writes them. */
  split: string;
  records: string;
  csv: string;
  /** One array a row; one number a row for a regression. */
  probabilities?: number[][];
  values?: number[];
}

/** Rows that the model was not trained for. `refused` is the feature that the message names. */
export interface RefusedCase {
  name: string;
  about: string;
  model: string;
  rows: unknown[][];
  refused: string;
}

const recorded = JSON.parse(await readFile(new URL("recorded.json", FOLDER), "utf8")) as {
  cases: (TableCase | RefusedCase)[];
};

export const TABLES = recorded.cases.filter((one): one is TableCase => "task" in one);
export const REFUSED = recorded.cases.filter((one): one is RefusedCase => "refused" in one);

export async function putTables(store: TargetStore): Promise<void> {
  for (const table of TABLES) {
    const artifact = await readFile(graphOf(table.name));
    await store.put(`${table.name}/1/model.onnx`, artifact);
    await store.put(`${table.name}/1/model.json`, JSON.stringify(manifestOf(table, artifact)));
    await store.put(`${table.name}/release.json`, '{"stable":"1"}');
  }
}

export function graphOf(name: string): URL {
  return new URL(`${name}.onnx`, FOLDER);
}

function manifestOf(table: TableCase, artifact: Uint8Array) {
  const { name, about, task, inputs, outputs, features, labels, output } = table;
  return {
    schema: 1,
    name,
    version: "1",
    task,
    description: about,
    artifact: {
      file: "model.onnx",
      sha256: createHash("sha256").update(artifact).digest("hex"),
      bytes: artifact.byteLength,
    },
    inputs,
    outputs,
    features,
    ...(labels && { labels, scores: { output, activation: "none" } }),
    ...(!labels && { regression: { output } }),
  };
}
