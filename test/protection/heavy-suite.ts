import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { filesOfModels } from "../../cli/local/models.ts";
import { post } from "../dialects/platforms.ts";
import type { StartTarget, Target } from "../harness/targets.ts";
import { HEAVY_BODIES, requestOf } from "./heavy-bodies.ts";

const IDENTITY = join(import.meta.dirname, "../fixtures/identity");
/** Below what any of these bodies may have. */
const LONG = 5_900_000;
/** Any body may decompress to so much. */
const FREE = 1_040_000;

/** Bodies that cost far more than they weigh. `longest` is the platform's own limit of a request. */
export function heavyBodies(
  start: StartTarget,
  { longest = LONG, bodies = HEAVY_BODIES } = {},
): void {
  let target: Target;
  beforeAll(async () => {
    // The old space of a small container; workerd and Lambda have their own.
    const env = { DEFAULT_MODEL: "iris", NODE_OPTIONS: "--max-old-space-size=256" };
    target = await start({ env });
    for (const key of await filesOfModels(IDENTITY))
      await target.store.put(key, await readFile(join(IDENTITY, key)));
  });
  afterAll(() => target?.stop());

  async function send(path: string, request: RequestInit) {
    const response = await target.fetch(path, request);
    return { status: response.status, text: await response.text() };
  }

  describe.each(bodies)("$name", (heavy) => {
    test.skipIf(longest < LONG)("is refused with what is wrong", async () => {
      const { status, text } = await send(heavy.path, requestOf(heavy, { bytes: LONG }));
      expect(text).toMatch(heavy.says);
      expect(status).toBe(heavy.status);
      // As long as any answer that tells of a hundred problems.
      expect(text.length).toBeLessThan(100_000);
    });

    test("is refused when it is compressed", async () => {
      const request = requestOf(heavy, { bytes: FREE, gzip: true });
      const { status, text } = await send(heavy.path, request);
      expect([400, 413, 422], text.slice(0, 1000)).toContain(status);
      expect(text.length).toBeLessThan(100_000);
    });
  });

  test("a body that decompresses to more than 20 times its length is refused, beyond 1 MiB", async () => {
    const headers = { "Content-Type": "application/json", "Content-Encoding": "gzip" };
    const ask = (padding: number) =>
      send("/v1/models/iris/predict", {
        method: "POST",
        headers,
        body: new Uint8Array(
          gzipSync(`{"inputs":[5.1,3.5,1.4,0.2]${" ".repeat(padding)}}`, { level: 9 }),
        ),
      });
    const small = await ask(1_000_000);
    expect(small.text).toContain('"label":"setosa"');
    const large = await ask(2_000_000);
    expect(large.text).toMatch(/beyond 1048576 it may have 20 times its length/);
    expect(large.status).toBe(413);
  });

  test("zeros of an image, compressed, are answered", async () => {
    const bytes = 3 * 224 * 224 * 4;
    const head = JSON.stringify({
      inputs: [
        {
          name: "x",
          datatype: "FP32",
          shape: [1, 3, 224, 224],
          parameters: { binary_data_size: bytes },
        },
      ],
      parameters: { binary_data_output: true },
    });
    const response = await target.fetch("/v2/models/image/infer", {
      method: "POST",
      headers: {
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "gzip",
        "Inference-Header-Content-Length": String(head.length),
      },
      body: new Uint8Array(gzipSync(Buffer.concat([Buffer.from(head), Buffer.alloc(bytes)]))),
    });
    expect(response.status).toBe(200);
    expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(bytes);
  });

  test("and what is good is answered afterwards", async () => {
    const { body } = await post(target, "/v1/models/iris/predict", {
      inputs: [5.1, 3.5, 1.4, 0.2],
    });
    expect(body).toMatchObject({ outputs: { label: "setosa" } });
    expect(target.logs()).not.toContain('"code":"internal"');
  });
}
