import { existsSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { NearcastError } from "../errors.ts";
import type { ImageFormat, LoadDecoder } from "../tasks/image/formats.ts";
import type { Pixels } from "../tasks/image/pixels.ts";
import type { DecodeElsewhere, ImageWork } from "../tasks/image/elsewhere.ts";

/** What the thread gets when it starts: the decoders, compiled. */
export type ImageDecoders = Record<ImageFormat, WebAssembly.Module>;
export type ImageAnswer = { pixels: Pixels } | { problem: string };

/** One image, from when it is asked until it is answered. */
interface Waiting extends ImageWork {
  /** Whether a thread has ended with it. */
  isSecondTry: boolean;
  resolve: (pixels: Pixels) => void;
  reject: (error: Error) => void;
}

/** A thread without work ends after this long, and gives back what large images took. */
const IDLE_MS = 60_000;

/**
 * Decodes images in a thread, so that other requests do not wait. It starts with the first image. If it ends, a new one
 * tries the image that it was decoding once more. An image that ends two threads rejects with `runtime_failed`, one for
 * which there is no memory with `out_of_memory`. Those after it get a new thread. Undefined where the file of the thread is missing, as
 * in a bundle of one file.
 */
export function createImageThread(loadDecoder: LoadDecoder): DecodeElsewhere | undefined {
  // It lies beside this file: as TypeScript in the sources, as JavaScript in what is built.
  const thread = new URL(`image-thread${extname(import.meta.url)}`, import.meta.url);
  if (!existsSync(fileURLToPath(thread))) return undefined;
  const waiting: Waiting[] = [];
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;

  async function start(): Promise<void> {
    const [jpeg, png, webp] = await Promise.all([
      loadDecoder("jpeg"),
      loadDecoder("png"),
      loadDecoder("webp"),
    ]);
    const started = new Worker(thread, { workerData: { jpeg, png, webp } satisfies ImageDecoders });
    worker = started;
    let reason = explained();
    started.on("message", (answer: ImageAnswer) => {
      const done = waiting.shift();
      if ("pixels" in answer) done?.resolve(answer.pixels);
      else done?.reject(new RangeError(answer.problem));
      next();
    });
    started.on("error", (error) => (reason = explained(error)));
    // An answer that cannot be read would be waited for without end.
    started.on("messageerror", (error) => {
      reason = explained(error);
      void started.terminate();
    });
    started.on("exit", () => {
      if (worker !== started) return;
      worker = undefined;
      const [first] = waiting;
      if (!first) return;
      if (first.isSecondTry || reason.code === "out_of_memory") waiting.shift()?.reject(reason);
      else first.isSecondTry = true;
      if (waiting.length > 0) begin();
    });
    next();
  }

  function begin(): void {
    start().catch((error: Error) => {
      for (const { reject } of waiting.splice(0)) reject(error);
    });
  }

  /** Hands the first image to the thread. */
  function next(): void {
    const [first] = waiting;
    if (!first) {
      worker?.unref();
      idle = setTimeout(end, IDLE_MS).unref();
      return;
    }
    worker?.ref();
    try {
      // A copy: the file is a part of the request's body, which others still read.
      const file = new Uint8Array(first.file);
      worker?.postMessage({ file, image: first.image } satisfies ImageWork, [file.buffer]);
    } catch (error) {
      // There is no memory for it.
      waiting.shift()?.reject(error as Error);
      next();
    }
  }

  function end(): void {
    const ended = worker;
    worker = undefined;
    void ended?.terminate();
  }

  return (work) =>
    new Promise((resolve, reject) => {
      clearTimeout(idle);
      waiting.push({ ...work, isSecondTry: false, resolve, reject });
      if (waiting.length > 1) return;
      if (worker) next();
      else begin();
    });
}

/** Why the thread ended. */
function explained(cause?: Error): NearcastError {
  return cause && "code" in cause && cause.code === "ERR_WORKER_OUT_OF_MEMORY"
    ? new NearcastError("out_of_memory", "The image takes more memory than there is.", { cause })
    : new NearcastError("runtime_failed", "The thread that decodes images ended.", { cause });
}
