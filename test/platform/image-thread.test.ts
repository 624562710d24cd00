import { fileURLToPath } from "node:url";
import type { Worker } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import { createFileDecoders } from "../../functions/platform/file-decoders.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createImageThread } from "../../functions/platform/start-image-thread.ts";
import { createService } from "../../functions/service.ts";
import type { ImageWork } from "../../functions/tasks/image/elsewhere.ts";
import { fit } from "../../functions/tasks/image/fit.ts";
import type { ImageOptions } from "../../functions/tasks/image/options.ts";
import { convertColor } from "../../functions/tasks/image/pixels.ts";
import { createDeadline } from "../../functions/load/deadline.ts";
import { decodeImage } from "../harness/decode-image.ts";
import { encodeJpeg } from "../harness/images.ts";

const OPTIONS: ImageOptions = {
  width: 32,
  height: 32,
  color: "rgb",
  layout: "NCHW",
  resample: "bilinear",
  orientation: "exif",
  arithmetic: "pillow",
  crop: "down",
  scale: 1,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

/** Slopes with grain. */
function photo(width: number, height: number): Buffer<ArrayBuffer> {
  const data = new Uint8Array(width * height * 4);
  for (let at = 0; at < data.length; at++) data[at] = (at >> 6) + ((at * 7919) % 23);
  return encodeJpeg({ width, height, data }, 85);
}

const large = photo(3000, 2000);

function openThread() {
  const load = createFileDecoders((name) => fileURLToPath(import.meta.resolve(name)));
  const thread = createImageThread(load);
  if (!thread) throw new Error("no thread");
  return thread;
}

/** A service that notes which images are decoded elsewhere. */
function openService() {
  const elsewhere: number[] = [];
  const platform = createNodePlatform({ STORE: "models" });
  const service = createService({
    ...platform,
    decodeElsewhere(work: ImageWork) {
      elsewhere.push(work.file.length);
      return platform.decodeElsewhere!(work);
    },
  });
  return { service, elsewhere, here: createService({ ...platform, decodeElsewhere: undefined }) };
}

test("an image is decoded in the thread as it is here, and its file stays whole", async () => {
  const before = Buffer.from(large);
  const pixels = await openThread()({ file: large, image: OPTIONS });
  const decoded = decodeImage(large, { maxPixels: 1e7, orientation: "exif" });
  expect(pixels).toEqual(fit(convertColor(decoded, "rgb"), OPTIONS));
  expect(large.equals(before)).toBe(true);
});

test("large images are decoded in the thread, small ones here, with the same answers", async () => {
  const { service, elsewhere, here } = openService();
  const inputs = [photo(400, 300), large, photo(28, 28), photo(1200, 900)];
  const call = { model: "digits", inputs };
  const { outputs } = await service.predict(call);
  expect(elsewhere).toEqual([large.length, inputs[3]?.length]);
  expect(outputs).toEqual((await here.predict(call)).outputs);
});

test("a damaged large image is refused as it is here", async () => {
  const { service, here } = openService();
  const damaged = Buffer.concat([large.subarray(0, large.length >> 1), large.subarray(-2)]);
  const call = { model: "digits", inputs: [photo(28, 28), damaged] };
  const refused = await service.predict(call).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: "invalid_input", issues: [{ path: "inputs[1]" }] });
  await expect(here.predict(call)).rejects.toEqual(refused);
});

test("while an image is decoded the process does other things", { retry: 2 }, async () => {
  const { service } = openService();
  const call = { model: "digits", inputs: large };
  await service.predict(call);
  let [longest, last] = [0, performance.now()];
  const begun = last;
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  await service.predict(call);
  longest = Math.max(longest, performance.now() - last);
  clearInterval(timer);
  expect(longest).toBeLessThan((performance.now() - begun) / 3);
});

test("a deadline ends the wait for the thread, and what nobody waits for is not begun", async () => {
  const { service, elsewhere } = openService();
  const call = { model: "digits", inputs: large };
  await service.predict(call);
  const late = Array.from({ length: 6 }, () => {
    const deadline = createDeadline(20, () => false);
    return deadline.within(service.predict({ ...call, deadline })).catch((error: unknown) => error);
  });
  for (const error of await Promise.all(late))
    expect(error).toMatchObject({ code: "deadline_exceeded" });
  expect((await service.predict(call)).record.error).toBeUndefined();
  expect(elsewhere.length).toBeLessThan(6);
});

test("a thread that ends costs no image: a new one decodes it", async () => {
  const thread = openThread();
  const expected = await thread({ file: large, image: OPTIONS });
  const other = openThread();
  let started = 0;
  const count = (worker: Worker): void => {
    started += 1;
    if (started === 1) worker.once("online", () => void worker.terminate());
  };
  process.on("worker", count);
  onTestFinished(() => void process.off("worker", count));
  const images = [1, 2].map(() => other({ file: large, image: OPTIONS }));
  expect(await Promise.all(images)).toEqual([expected, expected]);
  expect(started).toBe(2);
});

test("an image that ends two threads is refused, and those around it are decoded", async () => {
  const thread = openThread();
  const wrong = { ...OPTIONS, resample: "none" as "box" };
  const [first, broken, last] = await Promise.allSettled([
    thread({ file: large, image: OPTIONS }),
    thread({ file: large, image: wrong }),
    thread({ file: large, image: OPTIONS }),
  ]);
  expect(broken).toMatchObject({
    status: "rejected",
    reason: { code: "runtime_failed", message: "The thread that decodes images ended." },
  });
  expect(first.status).toBe("fulfilled");
  expect(last).toEqual(first);
});
