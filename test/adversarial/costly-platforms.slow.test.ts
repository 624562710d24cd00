import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { targets } from "../harness/targets.ts";
import { costlyRequests } from "./cost/corpus.ts";
import { modelsFolder } from "./cost/models.ts";
import { createSender } from "./send.ts";
import { examples } from "./valid-requests.ts";

/** Milliseconds for one of them on the slowest runtime with other work beside it: many times what it takes alone. */
const LONGEST_MS = 5000;

let models: Awaited<ReturnType<typeof modelsFolder>>;
beforeAll(async () => {
  models = await modelsFolder();
});
afterAll(() => models?.remove());

describe.each([
  ["workerd", targets.worker, {}],
  ["Lambda", targets.lambda, {}],
  ["Node with WASM", targets.nodeWasm, {}],
  ["Node with workers", targets.node, { WORKERS: "2" }],
] as const)("on %s", (_, start, variables) => {
  test("the costliest bodies of up to 64 kB are refused or answered soon, and others as before", async () => {
    const target = await start({
      models: models.folder,
      env: { DEFAULT_MODEL: "iris", MAX_QUEUE_MS: "60000", ...variables },
    });
    const sender = createSender(target);
    try {
      const known = new Map<string, string>();
      for (const { request } of examples) {
        const { status, body } = await sender.send(request);
        expect(status, body.toString()).toBe(200);
        known.set(request.path, body.toString());
      }
      const costly: unknown[] = [];
      for (const { name, attack } of costlyRequests()) {
        const began = performance.now();
        const { status, body } = await sender.send(attack);
        const milliseconds = performance.now() - began;
        if ((status >= 500 && status !== 507) || milliseconds > LONGEST_MS)
          costly.push({ name, status, milliseconds, body: body.toString().slice(0, 200) });
      }
      expect(costly).toEqual([]);
      for (const { request } of examples)
        expect((await sender.send(request)).body.toString()).toBe(known.get(request.path));
    } finally {
      sender.close();
      await target.stop();
    }
  });
});
