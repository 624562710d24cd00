import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { nearcast } from "../cli/nearcast.ts";
import { useTarget } from "../harness/use-target.ts";
import { folder, recordedSegments } from "../tasks/image-segmentation.ts";

const {
  pictures,
  cases: [recorded],
} = await recordedSegments();
const picture = pictures[3] ?? "";
const model = recorded?.model ?? "";
const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
const command = ["add", join(folder, model), "--name", model, "--models", models];
expect(await nearcast(command)).toMatchObject({ code: 0, stderr: "" });
await writeFile(join(models, model, "release.json"), '{"stable":"1"}');
afterAll(() => rm(models, { recursive: true }));

/** Width times height, of the header of a PNG. */
function pixelsOf(base64: string): number {
  const bytes = Buffer.from(base64, "base64");
  return bytes.readUInt32BE(16) * bytes.readUInt32BE(20);
}

describe.each(["node", "worker"] as const)("on %s", (platform) => {
  // There is room for the maps of two such pictures.
  const env = { MAX_IMAGE_PIXELS: String(pixelsOf(picture)) };
  const { postJson } = useTarget(platform, { models, env });

  async function ask(): Promise<{ status: number; outputs: unknown }> {
    const response = await postJson(`/v1/models/${model}/predict`, { inputs: picture });
    const { outputs } = (await response.json()) as { outputs: unknown };
    return { status: response.status, outputs };
  }

  test("calls that wait for one another's room are all answered", async () => {
    const alone = await ask();
    expect(alone.status).toBe(200);
    const answers = await Promise.all(Array.from({ length: 12 }, ask));
    for (const answer of answers) expect(answer).toEqual(alone);
  });
});
