import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService, type Service } from "../../functions/service.ts";

const picture = new Uint8Array(await readFile("models/objects/form.jpg"));
/** KiB of what is made of it: four channels, then the graph's numbers, then its answer. */
const OF_EACH = (128 * 128 * (4 + 3 * 4) + 14 * 1024 * 4) / 1024;
const TIMES = 30;

function open(env: Record<string, string> = {}) {
  return createService(createNodePlatform({ STORE: "models", ACCESS_LOG: "false", ...env }));
}

async function ask({ predict }: Service, inputs: unknown): Promise<unknown> {
  return (await predict({ model: "objects", inputs })).outputs;
}

const answer = await ask(open(), picture);

test("pictures leave no memory to the collector", async () => {
  const service = open();
  await ask(service, picture);
  const before = process.memoryUsage().arrayBuffers;
  for (let turn = 0; turn < TIMES; turn++) await ask(service, picture);
  const left = (process.memoryUsage().arrayBuffers - before) / 1024;
  expect(left).toBeLessThan((OF_EACH * TIMES) / 8);
});

test("those asked together, and those that are kept, have the same answers", async () => {
  const together = await ask(open(), [picture, picture, picture]);
  expect(together).toEqual([answer, answer, answer]);
  const keeping = open({ PREDICTION_CACHE_TTL_SECONDS: "60" });
  const each = await Promise.all([picture, picture, picture].map((one) => ask(keeping, one)));
  expect(each).toEqual([answer, answer, answer]);
  expect(await ask(keeping, picture)).toEqual(answer);
});
