import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Bill } from "../../cli/cost/bill.ts";
import { mean, type Figures } from "../../cli/cost/figures.ts";
import { readRecording } from "../../cli/cost/recorded.ts";
import { figuresOf } from "../../cli/cost/figures-of.ts";
import { openPackage } from "../../cli/package-folder.ts";
import { writeObjects } from "../../functions/features/object-source.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { churnFolder, customers } from "../features/service.ts";
import { nearcast, succeed, temporaryFolder } from "./nearcast.ts";

test("a model of one's own is measured here, on native and on WASM", async () => {
  const models = await temporaryFolder();
  await cp("models/iris/1", join(models, "flowers/1"), { recursive: true });
  const path = join(models, "flowers/1/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...manifest, name: "flowers" }));
  const text = await succeed(["cost", "flowers", "--requests", "1M", "--models", models, "--json"]);
  const { figures, bills } = JSON.parse(text) as { figures: Figures; bills: Bill[] };
  expect(figures.basis).toContain("measured here now");
  expect(figures.worker?.memoryBytes).toBeGreaterThan(16 * 2 ** 20);
  // The request alone takes some tenths of this.
  const { models: recorded } = await readRecording();
  const { lambda, inProcess } = recorded.find(({ model }) => model === "iris")!;
  const platformMs = mean(lambda.durationsMs) - inProcess.native.meanMs;
  expect(Math.min(...figures.lambda.durationsMs)).toBeGreaterThan(platformMs);
  expect(bills.map(({ problem }) => problem)).toEqual(Array(5).fill(undefined));
  expect(bills.every(({ dollars }) => dollars > 0)).toBe(true);
});

test("without examples there is nothing to ask for", async () => {
  const models = await temporaryFolder();
  await cp("models/iris/1", join(models, "flowers/1"), { recursive: true });
  const path = join(models, "flowers/1/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...manifest, name: "flowers", examples: [] }));
  const outcome = await nearcast(["cost", "flowers", "--requests", "1M", "--models", models]);
  expect(outcome).toMatchObject({ code: 1, stdout: "" });
  expect(outcome.stderr).toContain(
    "flowers@1 could not be measured on native: it has no examples to ask for",
  );
});

test("examples that send keys are measured, and a Worker only where its figures are used", async () => {
  const table = await temporaryFolder();
  await writeObjects(createFolderStore(table), customers());
  vi.stubEnv("FEATURE_SOURCES", `customers=${table}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const examples = [{ input: { customer_id: 42, income: 1 } }];
  const models = await churnFolder({}, { examples });
  const local = await openPackage(models, { name: "churn", version: "1" });
  const figures = await figuresOf(local, { measure: true, withoutWorker: true });
  expect(figures.lambda.durationsMs.length).toBeGreaterThan(0);
  expect(figures.worker).toBeUndefined();
});
