import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { nearcast } from "../cli/nearcast.ts";
import { apart, hasSilero, recordedVoices, silero, voiceFiles, type VoiceAnswer } from "./voice.ts";

test.runIf(hasSilero)("all graphs of the package hear the same", async () => {
  const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
  // silero_vad_half.onnx is another network: in Python its numbers are up to 0.8 away from the others'.
  const files = (await readdir(dirname(silero))).filter((file) => /(?<!half)\.onnx$/.test(file));
  expect(files.length).toBeGreaterThan(4);
  for (const file of files) {
    const name = file.replace(".onnx", "");
    const path = join(dirname(silero), file);
    const added = await nearcast(["add", path, "--name", name, "--models", models]);
    expect(added).toMatchObject({ code: 0, stderr: "" });
    await writeFile(join(models, name, "release.json"), '{"stable":"1"}');
    const service = createService(createNodePlatform({ STORE: models, ACCESS_LOG: "false" }));
    for (const [at, { probabilities }] of recordedVoices.models.silero.slice(0, 20).entries()) {
      const parameters = { return_probabilities: true };
      const inputs = Buffer.from(voiceFiles[at]!).toString("base64");
      const { outputs } = await service.predict({ model: name, inputs, parameters });
      expect(apart((outputs as VoiceAnswer).probabilities, probabilities), name).toBeLessThan(1e-4);
    }
  }
  await rm(models, { recursive: true });
});
