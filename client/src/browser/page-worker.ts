import { NearcastClientError } from "../error.ts";
import type { FromWorker, LoadMessage, PredictMessage, ToWorker } from "./messages.ts";

/** Its worker was ended before the call had an answer. */
export class WorkerEnded extends NearcastClientError {
  constructor() {
    super("runtime_failed", "The page's worker was ended.", { status: 503 });
  }
}

/** A dedicated worker with one version of a model. */
export interface PageWorker {
  /**
   * Answers with the text of `{"outputs": …}`, one call after the other. Rejects with {@link NearcastClientError}, with
   * {@link WorkerEnded} where the worker ended before the call began, and with the signal's reason.
   */
  predict: (body: string, signal: AbortSignal) => Promise<string>;
  hasEnded: () => boolean;
  /** Ends it when its present call has an answer. */
  retire: () => Promise<void>;
  /** Ends it with all that it does. */
  end: () => void;
}

/** Browsers give no message for a script that they cannot load, or that a policy forbids. */
function failed({ message = "its script cannot be loaded" }: Partial<ErrorEvent>) {
  const detail = `The page's worker failed: ${message}`;
  return new NearcastClientError("runtime_failed", detail, { status: 503 });
}

/** Loading includes starting the script and making the session. */
const LOAD_TIMEOUT_MS = 60_000;
/** A run that can be told to stop gets so much time to do it. */
const GRACE_MS = 500;

type Message = Omit<LoadMessage, "id"> | Omit<PredictMessage, "id">;

/**
 * Starts a worker and loads a version in it. A call that takes longer than `runTimeoutMs` ends the worker: ONNX Runtime
 * cannot be stopped otherwise. The version's files move to the worker.
 */
export async function startPageWorker(
  url: URL | undefined,
  version: Omit<LoadMessage, "id">,
  runTimeoutMs: number,
): Promise<PageWorker> {
  // Bundlers know the second form, and take the worker along.
  const worker = url
    ? new Worker(url, { type: "module" })
    : new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  let hasEnded = false;
  let calls = 0;
  let fail: ((error: NearcastClientError) => void) | undefined;

  function end(error: NearcastClientError = new WorkerEnded()): void {
    hasEnded = true;
    worker.terminate();
    fail?.(error);
  }

  async function ask(message: Message, timeoutMs: number, moved: Transferable[] = []) {
    const id = (calls += 1);
    const stop = new AbortController();
    const { signal } = stop;
    const timer = setTimeout(() => {
      const detail = `The page has not answered within ${timeoutMs} ms.`;
      end(new NearcastClientError("deadline_exceeded", detail, { status: 504 }));
    }, timeoutMs);
    try {
      return await new Promise<string | null>((resolve, reject) => {
        fail = reject;
        worker.addEventListener(
          "message",
          ({ data }: MessageEvent<FromWorker>) => {
            if (data.id !== id) return;
            if ("value" in data) return resolve(data.value);
            const { code, detail, ...details } = data.problem;
            reject(new NearcastClientError(code, detail, details));
          },
          { signal },
        );
        worker.addEventListener("error", (event) => end(failed(event)), { signal });
        worker.postMessage({ id, ...message } satisfies ToWorker, moved);
      });
    } finally {
      fail = undefined;
      clearTimeout(timer);
      stop.abort();
    }
  }

  let last: Promise<unknown> = ask(
    version,
    LOAD_TIMEOUT_MS,
    Array.from(version.files.values(), ({ buffer }) => buffer),
  );
  try {
    await last;
  } catch (error) {
    end();
    throw error;
  }
  return {
    async predict(body, signal) {
      const before = last;
      const mine = (async () => {
        await before.catch(() => undefined);
        signal.throwIfAborted();
        if (hasEnded) throw new WorkerEnded();
        return ask({ body, timeoutMs: runTimeoutMs }, runTimeoutMs + GRACE_MS);
      })();
      last = mine;
      return (await mine) ?? "";
    },
    hasEnded: () => hasEnded,
    async retire() {
      hasEnded = true;
      await last.catch(() => undefined);
      end();
    },
    end: () => end(),
  };
}
