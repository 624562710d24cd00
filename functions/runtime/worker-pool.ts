import type { Tensors } from "../tensor.ts";
import { runtimeFailed } from "./failures.ts";
import type { Runtime } from "./types.ts";
import type { WorkerCall } from "./worker-messages.ts";
import { isLost, startWorkerProcess, type LostCall, type WorkerProcess } from "./worker-process.ts";

interface Worker {
  process: WorkerProcess;
  /** What it was told to load and not to release. */
  sessions: Set<number>;
}

interface WorkerPoolOptions {
  workers: number;
  /** For one run. */
  threads: number;
  log: (entry: Record<string, unknown>) => void;
}

/** A call that a process died under is tried once more: the input may have killed it, or anything else. */
const MOST_BEGUN = 2;
/** Calls that waited behind such a one are innocent; still, no call is tried for ever. */
const MOST_TRIES = 8;

/**
 * The native runtime in `workers` processes, each with a session of its own for every artifact, because a
 * run blocks the thread that calls it: runs go on in parallel, and the server answers meanwhile. Processes
 * and not threads, because native code that crashes ends its whole process. A run goes to the process with
 * the fewest calls; the next call replaces one that ended. A run that ends two rejects with
 * `runtime_failed`.
 */
export function createWorkerPool({ workers, threads, log }: WorkerPoolOptions): Runtime {
  const pool: (Worker | undefined)[] = Array.from({ length: workers });
  let sessions = 0;

  function worker(index: number): Worker {
    const onEnd = () => (pool[index] = undefined);
    return (pool[index] ??= {
      process: startWorkerProcess({ threads, log, onEnd }),
      sessions: new Set(),
    });
  }

  function leastBusy(): Worker {
    let best = worker(0);
    for (let index = 1; index < pool.length; index++) {
      const other = worker(index);
      if (other.process.pending() < best.process.pending()) best = other;
    }
    return best;
  }

  return {
    name: "native",
    async load(artifact, externalData = []) {
      const session = ++sessions;
      let lost = false;

      async function loadIn({ process, sessions }: Worker): Promise<Tensors | LostCall> {
        sessions.add(session);
        return process.call({ kind: "load", session, artifact, externalData });
      }

      /** A process that took the place of another loads what it is asked to run. */
      async function runIn(worker: Worker, call: WorkerCall): Promise<Tensors | LostCall> {
        if (!worker.sessions.has(session)) {
          const answer = await loadIn(worker).catch((cause: unknown) => {
            lost = true;
            throw runtimeFailed(cause);
          });
          if (isLost(answer)) return answer;
        }
        return worker.process.call(call);
      }

      const each = pool.map((_, index) => index);
      await Promise.all(each.map((index) => tryCall(() => loadIn(worker(index)))));
      return {
        run(feeds, outputNames) {
          const call: WorkerCall = { kind: "run", session, feeds, outputNames };
          return tryCall(() => runIn(leastBusy(), call));
        },
        lost: () => lost,
        async release() {
          for (const worker of pool)
            if (worker?.sessions.delete(session))
              await worker.process.call({ kind: "release", session });
        },
      };
    },
  };
}

async function tryCall(call: () => Promise<Tensors | LostCall>): Promise<Tensors> {
  for (let [tries, begun] = [0, 0]; tries < MOST_TRIES && begun < MOST_BEGUN; tries++) {
    const answer = await call();
    if (!isLost(answer)) return answer;
    if (answer.begun) begun++;
  }
  throw runtimeFailed(new Error("the inference processes that were asked ended"));
}
