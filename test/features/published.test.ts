import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { openPackage } from "../../cli/package-folder.ts";
import { openPredictor } from "../../cli/predictor.ts";
import { writeObjects } from "../../functions/features/object-source.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { churnFolder, customers } from "./service.ts";

test("commands answer examples that send keys, and measure what was looked up", async () => {
  const table = await mkdtemp(join(tmpdir(), "nearcast-features-"));
  await writeObjects(createFolderStore(table), customers());
  vi.stubEnv("FEATURE_SOURCES", `customers=${table}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const models = await churnFolder();
  const open = async (name: string) =>
    openPredictor(await openPackage(models, { name, version: "1" }), "native");
  const [churn, whole] = [await open("churn"), await open("whole")];
  const sent = { customer_id: 42, income: 1 };
  const row = { age: 30, member: true, city: "Oslo", income: 1 };
  expect(await churn.predict(sent)).toEqual(await whole.predict(row));
  const seen = await churn.see([sent]);
  const { runs, answers } = await whole.see([row]);
  expect(seen.inputs).toEqual([{ ...sent, ...row }]);
  expect(seen).toMatchObject({ runs, answers });
});
