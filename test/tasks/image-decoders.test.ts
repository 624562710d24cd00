import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { keepInstance, type IdlePlace } from "../../functions/tasks/image/decoder-instance.ts";

test("decoders load with the first model that takes images, and not before", async () => {
  const platform = createNodePlatform({ STORE: "models" });
  const { loadDecoder } = platform;
  const loaded: string[] = [];
  platform.loadDecoder = (format) => {
    loaded.push(format);
    return loadDecoder(format);
  };
  const service = createService(platform);
  await service.predict({ model: "iris", inputs: [5.1, 3.5, 1.4, 0.2] });
  await service.predict({ model: "sentiment", inputs: "fine" });
  expect(loaded).toEqual([]);
  const seven = new Uint8Array(await readFile("models/digits/seven.png"));
  await service.predict({ model: "digits", inputs: seven });
  expect(loaded).toEqual(["jpeg", "png", "webp"]);
  // Another version has the same weights, and so shares their memory.
  await service.predict({ model: "digits", version: "2", inputs: seven });
  expect(loaded).toHaveLength(3);
});

test("a decoder's memory is given back when it has grown, failed, or another one is used", () => {
  const MIB = 1024 * 1024;
  const idle: IdlePlace = {};
  let started = 0;
  const decoder = () =>
    keepInstance(
      () => ({ number: ++started, bytes: 16 * MIB }),
      ({ bytes }) => bytes,
      idle,
    );
  const [use, useOther] = [decoder(), decoder()];
  expect(use(({ number }) => number)).toBe(1);
  expect(use(({ number }) => number)).toBe(1);
  use((instance) => (instance.bytes = 60 * MIB));
  expect(use(({ number }) => number)).toBe(2);
  expect(() => use(fail)).toThrow("damaged");
  expect(use(({ number }) => number)).toBe(3);
  expect(useOther(({ number }) => number)).toBe(4);
  expect(use(({ number }) => number)).toBe(5);
});

function fail(): never {
  throw new Error("damaged");
}
