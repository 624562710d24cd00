import { expect, test } from "vitest";
import { draftFromHuggingFace } from "../../cli/add/from-hugging-face.ts";
import { parseManifest } from "../../functions/model/manifest.ts";
import { textClassification } from "../../functions/tasks/text-classification/task.ts";
import { shippedModels } from "../harness/models.ts";
import { exportFolder } from "./export-folder.ts";

test("the user's labels go before those of config.json", async () => {
  const { folder, remove } = await exportFolder("no-labels");
  const { manifest } = await draftFromHuggingFace(folder, { labels: ["bad", "good"] });
  expect(manifest.labels).toEqual(["bad", "good"]);
  const asked = draftFromHuggingFace(folder, { labels: ["bad", "good", "fair"] });
  await expect(asked).rejects.toThrow(/config.json has 3 labels|\[-1, 2\]/);
  const twice = draftFromHuggingFace(folder, { labels: ["bad", "bad"] });
  await expect(twice).rejects.toThrow(/labels 0 and 1 are both "bad"/);
  await remove();
});

test("a manifest with two labels of one name is refused, and says which", async () => {
  const sentiment = shippedModels.find(({ manifest }) => manifest.name === "sentiment");
  const text = JSON.stringify({ ...sentiment?.manifest, labels: ["crane", "dog", "crane"] });
  expect(() => parseManifest(text, () => textClassification.manifestSchema)).toThrow(
    /labels 0 and 2 are both "crane"/,
  );
});

test("exports without text have no advice about tokenizers", async () => {
  const { folder, remove } = await exportFolder("no-labels", {
    "config.json": { architectures: ["ViTForImageClassification"] },
  });
  await expect(draftFromHuggingFace(folder, {})).rejects.toThrow(
    /There is no task for this ViTForImageClassification: its graph takes input_ids/,
  );
  await remove();
});
