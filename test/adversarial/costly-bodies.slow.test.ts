import { afterAll, beforeAll, expect, test } from "vitest";
import { costlyRequests } from "./cost/corpus.ts";
import { modelsFolder } from "./cost/models.ts";
import { referenceMs } from "./cost/reference.ts";
import { startServerUnderTest, type ServerUnderTest } from "./cost/server.ts";
import { WARM_UP } from "./cost/warm-up.ts";
import type { Attack } from "./request.ts";

/**
 * In reference times of some 50 ms, and MiB. Several times what a request may cost by itself: other work on the machine
 * makes all work slower.
 */
const MOST = { piece: 5, cpu: 16, memory: 320 } as const;

let models: Awaited<ReturnType<typeof modelsFolder>>;
let server: ServerUnderTest;
beforeAll(async () => {
  models = await modelsFolder();
  server = await startServerUnderTest({ STORE: models.folder }, WARM_UP);
});
afterAll(async () => {
  await server?.stop();
  await models?.remove();
});

test("the costliest bodies of up to 64 kB are refused or answered at a bounded cost", async () => {
  const costly: unknown[] = [];
  for (const { name, attack } of costlyRequests()) {
    let cost = await measure(attack);
    // Other work may have made it slow: it is asked once more.
    if (cost.isOver) cost = await measure(attack);
    if (cost.isOver || cost.isWrong) costly.push({ name, ...cost });
  }
  expect(costly).toEqual([]);
});

async function measure(attack: Attack) {
  const cost = await server.measure(attack);
  const { status, code, ended, piece, cpu, memory } = cost;
  const reference = referenceMs();
  const isOver =
    !ended &&
    (piece > MOST.piece * reference || cpu > MOST.cpu * reference || memory > MOST.memory);
  const isWrong = ended !== undefined || (status >= 500 && code !== "answer_too_large");
  return { ...cost, reference, isOver, isWrong };
}
