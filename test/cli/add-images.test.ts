import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openPackage } from "../../cli/package-folder.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { expectRefused } from "./expect-refused.ts";
import { fixture, succeed, temporaryFolder } from "./nearcast.ts";

const LIMIT_MS = 300_000;

/** The image fixture's export with other steps before the model. */
async function imageExport(settings: object): Promise<string> {
  const folder = await temporaryFolder();
  await cp(fixture("image-export"), folder, { recursive: true });
  const path = join(folder, "preprocessor_config.json");
  const given = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...given, ...settings }));
  return folder;
}

test.for(
  inThisFile([
    [
      "shortest edge",
      { size: { shortest_edge: 18 }, do_center_crop: true, crop_size: 16 },
      { shortestEdge: 18 },
    ],
    [
      "fixed size",
      {
        size: { height: 18, width: 20 },
        do_center_crop: true,
        crop_size: { height: 16, width: 16 },
      },
      { height: 18, width: 20 },
    ],
    [
      "ConvNeXT's",
      {
        size: { shortest_edge: 16 },
        image_processor_type: "ConvNextImageProcessor",
        crop_pct: 0.875,
      },
      { shortestEdge: 18 },
    ],
  ] as const),
)(
  "an image export that crops the centre brings that: %s",
  { timeout: LIMIT_MS },
  async ([, settings, resize]) => {
    const models = await temporaryFolder();
    await succeed(["add", await imageExport(settings), "--name", "it", "--models", models]);
    await succeed(["verify", "it", "--record", "--models", models]);
    const { manifest } = await openPackage(models, { name: "it" });
    expect(manifest).toMatchObject({ image: { width: 16, height: 16, resize } });
  },
);

test.for(
  inThisFile([
    [{ size: { shortest_edge: 16 } }, "images of different sizes"],
    [{ size: { shortest_edge: 16 }, do_center_crop: true, crop_size: 18 }, "does not pad"],
    [{ size: { shortest_edge: 16 }, do_center_crop: true }, "needs crop_size"],
    [{ size: 16, do_center_crop: true, crop_size: 16 }, "size must say shortest_edge"],
    [{ do_flip_channel_order: true }, "do_flip_channel_order"],
    [{ image_processor_type: "LevitImageProcessor" }, "the steps of LevitImageProcessor"],
    [{ sharpen: 2 }, 'does not know the setting "sharpen": 2'],
    [{ do_pad: true }, '"do_pad": true is not supported'],
    [{ size: { height: 16, width: 16, longest_edge: 20 } }, "size"],
    [{ image_mean: null }, "does not say image_mean"],
    [{ image_std: [0.5] }, "image_mean has 3 channels, image_std 1"],
    [{ image_processor_type: "EfficientNetImageProcessor" }, "include_top"],
    [{ image_processor_type: "CLIPFeatureExtractor" }, "needs crop_size"],
    [
      {
        image_processor_type: "ConvNextImageProcessorFast",
        size: { shortest_edge: 16 },
        do_center_crop: true,
      },
      '"do_center_crop": true is not supported',
    ],
  ] as const),
)("an image export with %j is refused with the reason", async ([settings, reason]) => {
  await expectRefused(await imageExport(settings), reason);
});
