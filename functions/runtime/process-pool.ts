import type { Tensors } from "../tensor.ts";
import { NearcastError } from "../errors.ts";
import { outOfMemory, runtimeFailed } from "./failures.ts";
import type { Runtime } from "./types.ts";
import type { ProcessCall } from "./process-messages.ts";
import {
  isLost,
  startInferenceProcess,
  type LostCall,
  type InferenceProcess,
} from "./start-process.ts";

interface Member {
  process: InferenceProcess;
  /** The sessions that it was told to load and not yet to release. */
  sessions: Set<number>;
}

interface ProcessPoolOptions {
  workers: number;
  /** Threads for one run. */
  threads: number;
  /** The most memory that each process may take. */
  memoryBytes: number;
  log: (entry: Record<string, unknown>) => void;
}

/** A call whose process died is tried once more: the cause may have been its input, or something else. */
const MOST_BEGUN = 2;
/** The longest that an artifact may take to load. */
const LOAD_MS = 300_000;
/** Calls that only waited in a process that died are tried up to this often. */
const MOST_TRIES = 8;

/**
 * The native runtime in `workers` processes, each with its own session for every artifact. A run blocks the thread that
 * calls it: with processes, runs go on in parallel and the server answers meanwhile. They are not threads, because
 * native code that crashes ends its whole process. A run goes to the process with the fewest calls. The next call
 * replaces a process that ended. A run that ends two processes rejects with `runtime_failed`. A run that does not end
 * in time rejects with it too, and its process is ended. A run that takes more than `memoryBytes` ends its process and
 * rejects with `out_of_memory`.
 */
export function createProcessPool({
  workers,
  threads,
  memoryBytes,
  log,
}: ProcessPoolOptions): Runtime {
  const pool: (Member | undefined)[] = Array.from({ length: workers });
  let sessions = 0;

  function memberAt(index: number): Member {
    const onEnd = () => (pool[index] = undefined);
    return (pool[index] ??= {
      process: startInferenceProcess({ threads, memoryBytes, log, onEnd }),
      sessions: new Set(),
    });
  }

  function leastBusy(): Member {
    let best = memberAt(0);
    for (let index = 1; index < pool.length; index++) {
      const other = memberAt(index);
      if (other.process.pending() < best.process.pending()) best = other;
    }
    return best;
  }

  return {
    name: "native",
    async load(artifact, externalData = []) {
      const session = ++sessions;
      let lost = false;

      async function loadIn({ process, sessions }: Member): Promise<Tensors | LostCall> {
        sessions.add(session);
        const until = performance.now() + LOAD_MS;
        return process.call({ kind: "load", session, artifact, externalData }, until);
      }

      /** Runs a call in a process. A new process first loads the session. */
      async function runIn(
        member: Member,
        call: ProcessCall,
        until: number,
      ): Promise<Tensors | LostCall> {
        if (!member.sessions.has(session)) {
          const answer = await loadIn(member).catch((cause: unknown) => {
            lost = true;
            throw runtimeFailed(cause);
          });
          if (isLost(answer)) return answer;
        }
        return member.process.call(call, until);
      }

      const each = pool.map((_, index) => index);
      await Promise.all(each.map((index) => tryCall(() => loadIn(memberAt(index)), Infinity)));
      return {
        run(feeds, outputNames, _owner, until = Infinity) {
          const call: ProcessCall = { kind: "run", session, feeds, outputNames };
          return tryCall(() => runIn(leastBusy(), call, until), until);
        },
        lost: () => lost,
        async release() {
          for (const member of pool)
            if (member?.sessions.delete(session))
              await member.process.call({ kind: "release", session }, Infinity);
        },
      };
    },
  };
}

async function tryCall(call: () => Promise<Tensors | LostCall>, until: number): Promise<Tensors> {
  for (let [tries, begun] = [0, 0]; tries < MOST_TRIES && begun < MOST_BEGUN; tries++) {
    if (performance.now() >= until)
      throw new NearcastError("deadline_exceeded", "Its time was over before the model ran.");
    const answer = await call();
    if (!isLost(answer)) return answer;
    if (!answer.begun) continue;
    begun++;
    // Does not try again: that would cost as much once more.
    if (answer.reason === "memory")
      throw outOfMemory(new Error("the process took too much memory"));
    if (answer.reason === "late") throw runtimeFailed(new Error("the call did not end in time"));
  }
  throw runtimeFailed(new Error("the inference processes of this call ended"));
}
