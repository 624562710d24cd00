import { afterEach } from "vitest";
import { targets, type Target, type TargetOptions } from "../harness/targets.ts";

let running: Target | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

/** A Worker that ends with the test. */
export async function start(options: TargetOptions): Promise<Target> {
  running = await targets.worker(options);
  return running;
}

/**
 * Tries again, against a new Worker, what met the border of a window. The clock fixes the windows of the simulated
 * binding and, as far as is known, those of Cloudflare's own.
 */
export async function inOneWindow<T>(
  options: TargetOptions,
  work: (target: Target) => Promise<T>,
): Promise<T> {
  for (;;) {
    const target = await start(options);
    const before = currentWindow();
    const result = await work(target);
    if (currentWindow() === before) return result;
    await target.stop();
  }
}

const currentWindow = () => Math.floor(Date.now() / 60_000);
