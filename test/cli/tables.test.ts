import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { batchOf } from "../../functions/platform/onnx/batch-dimension.ts";
import { draftFromFile } from "../../cli/add/from-file.ts";
import { openPackage } from "../../cli/package-folder.ts";
import { readOnnx, writeOnnx } from "../../functions/platform/onnx/model.ts";
import { viewOf } from "../../functions/platform/onnx/view.ts";
import { graphOf, TABLES, type TableCase } from "../dialects/recorded-tables.ts";
import { fixture, nearcast, temporaryFolder } from "./nearcast.ts";

const pathOf = ({ name }: TableCase) => fileURLToPath(graphOf(name));
const namesOf = ({ features }: TableCase) => features.map(({ name }) => name);

function tableOf(name: string): TableCase {
  const found = TABLES.find((one) => one.name === name);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
}

/** `add` cannot see this, because -1 is a category like others. */
const SAID: Record<string, string[]> = { "missing-integers": ["class=-1"] };

test.each(TABLES.map((table) => [table.name, table] as const))(
  "%s: add reads the types of features, and which may be missing, from the graph",
  async (name, table) => {
    const { manifest } = await draftFromFile(pathOf(table), {
      features: namesOf(table),
      labels: table.labels,
      missing: SAID[name],
    });
    const read = (manifest.features ?? []).map(
      ({ categories: _categories, ...feature }) => feature,
    );
    expect(read).toEqual(table.features);
    expect(manifest.task).toBe(table.task);
    expect(manifest.inputs).toEqual(table.inputs);
  },
);

describe("--missing", () => {
  test("says what the graph gets, and add says it too", async () => {
    const models = await temporaryFolder();
    const { stdout } = await add(tableOf("missing-integers"), models, "class=-1,fare");
    expect(stdout).toContain('Missing values are taken for fare ("NaN"), class (-1)');
    const { manifest } = await openPackage(models, { name: "it" });
    expect(manifest.features?.map(({ missing }) => missing)).toEqual(["NaN", -1]);
  });

  test.each([
    ["color", "names color, which is no feature; there are fare, class"],
    ["class", "say what the graph was trained to take for a missing class, an integer"],
    ["class=x", "--missing class=x: x is no integer"],
    ["class=NaN", "must be an integer for an input that is INT64"],
  ])("%s is refused", async (missing, reason) => {
    const { stderr } = await add(tableOf("missing-integers"), await temporaryFolder(), missing);
    expect(stderr).toContain(reason);
  });

  test("goes with --features", async () => {
    const models = await temporaryFolder();
    const args = ["--name", "it", "--models", models, "--missing", "a"];
    const { stderr } = await nearcast(["add", fixture("line-1.onnx"), ...args]);
    expect(stderr).toContain("--missing");
  });
});

describe("the first dimension", () => {
  test.each([
    [["seq_len"], null],
    [["num_frames"], null],
    [["batch"], undefined],
    [["N"], undefined],
    [[""], undefined],
    [["batch_size", "sequence"], undefined],
    [["batch_seq"], undefined],
  ])("named %j: %j", async (names, batchDimension) => {
    const { graph } = await named(...names);
    expect(batchOf({ view: graph && viewOf(graph) }).batchDimension).toBe(batchDimension);
  });

  test("add writes that it is no batch, and says so", async () => {
    const models = await temporaryFolder();
    const path = join(models, "vad.onnx");
    await writeFile(path, writeOnnx(await named("seq_len")));
    const { stdout } = await nearcast(["add", path, "--name", "vad", "--models", models]);
    expect(stdout).toContain("The first dimension of its input is named seq_len");
    const { manifest } = await openPackage(models, { name: "vad" });
    expect(manifest.batchDimension).toBe(null);
  });
});

function add(table: TableCase, models: string, missing: string) {
  const features = namesOf(table).join(",");
  const given = ["--features", features, "--labels", "no,yes", "--missing", missing];
  return nearcast(["add", pathOf(table), "--name", "it", "--models", models, ...given]);
}

/** A graph whose inputs have first dimensions with these names. */
async function named(...names: string[]) {
  const model = readOnnx(
    await readFile(new URL("../fixtures/identity/mixed/1/model.onnx", import.meta.url)),
  );
  for (const [index, name] of names.entries()) {
    const [first] = model.graph?.input[index]?.type?.tensorType?.shape?.dim ?? [];
    if (first) first.dimParam = name;
  }
  return model;
}
