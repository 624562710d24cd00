import { Worker } from "node:worker_threads";
import type { Tensors } from "../tensor.ts";
import type { ArtifactSource, ExternalData, Runtime } from "./types.ts";
import type { WorkerAnswer, WorkerCall, WorkerRequest } from "./worker-messages.ts";

interface InferenceWorker {
  call(call: WorkerCall): Promise<Tensors>;
  /** Calls that have not been answered. */
  pending(): number;
}

interface Loaded {
  artifact: ArtifactSource;
  externalData: readonly ExternalData[];
}

/**
 * The native runtime in `workers` threads, each with a session of its own for every artifact, because a
 * run blocks the thread that calls it: runs go on in parallel, and the server answers meanwhile. A run
 * goes to the worker with the fewest calls. A worker that dies rejects its calls, and the next
 * call replaces it.
 */
export function createWorkerPool(options: { workers: number; threads: number }): Runtime {
  const loaded = new Map<number, Loaded>();
  let sessions = 0;
  const pool: (InferenceWorker | undefined)[] = Array.from({ length: options.workers });

  /** Every worker; one that died is started again by the next call. */
  function workers(): InferenceWorker[] {
    return pool.map((worker, index) => {
      if (worker) return worker;
      const started = startWorker(options.threads, () => (pool[index] = undefined));
      pool[index] = started;
      for (const [session, files] of loaded)
        started.call({ kind: "load", session, ...files }).catch(() => undefined);
      return started;
    });
  }

  const onAll = (call: WorkerCall) => Promise.all(workers().map((worker) => worker.call(call)));

  return {
    name: "native",
    async load(artifact, externalData = []) {
      const session = ++sessions;
      await onAll({ kind: "load", session, artifact, externalData });
      loaded.set(session, { artifact, externalData });
      return {
        run: (feeds, outputNames) =>
          workers()
            .reduce((best, worker) => (worker.pending() < best.pending() ? worker : best))
            .call({ kind: "run", session, feeds, outputNames }),
        async release() {
          loaded.delete(session);
          await onAll({ kind: "release", session });
        },
      };
    },
  };
}

function startWorker(threads: number, onExit: () => void): InferenceWorker {
  const waiting = new Map<number, PromiseWithResolvers<Tensors>>();
  let calls = 0;
  const worker = new Worker(new URL("inference-worker.ts", import.meta.url), {
    workerData: { threads },
  });
  worker.on("message", ({ id, outputs, error }: WorkerAnswer) => {
    const call = waiting.get(id);
    waiting.delete(id);
    // An idle worker does not keep the process alive, a call does.
    if (waiting.size === 0) worker.unref();
    if (error === undefined) call?.resolve(outputs ?? {});
    else call?.reject(new Error(error));
  });
  worker.on("error", (error) => end(error));
  worker.on("exit", (code) => end(new Error(`an inference worker exited with ${code}`)));

  worker.unref();

  let ended = false;
  function end(cause: Error): void {
    if (ended) return;
    ended = true;
    for (const call of waiting.values()) call.reject(cause);
    waiting.clear();
    onExit();
  }

  return {
    call(call) {
      const id = ++calls;
      const answer = Promise.withResolvers<Tensors>();
      if (waiting.size === 0) worker.ref();
      waiting.set(id, answer);
      worker.postMessage({ id, call } satisfies WorkerRequest);
      return answer.promise;
    },
    pending: () => waiting.size,
  };
}
