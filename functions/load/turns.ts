import type { Config } from "../config.ts";
import type { NearcastError } from "../errors.ts";
import { createAdmission, type Admission } from "./admission.ts";
import { createOverload } from "./overload.ts";
import { createGoingOn } from "./going-on.ts";
import { createTransferTurns, type TransferTurns } from "./transfer-turns.ts";

/** The turns of a request: for its body and its answer, one to prepare its inputs, and one for each of its runs. */
export interface Turns {
  /** Absent where nothing else can arrive meanwhile. */
  transfer: TransferTurns | undefined;
  preparing: Admission;
  /** For inputs that a thread prepares, one after the other. */
  elsewhere: Admission;
  running: Admission;
  /**
   * To be called when more than `MAX_CONCURRENCY` requests have come. Begins an overload if the processor is what they
   * wait for. Returns what the request is told that came too much.
   */
  overflow(): NearcastError;
}

export interface TurnsOptions extends Pick<
  Config,
  "maxConcurrency" | "maxQueueMs" | "workers" | "dynamicBatching"
> {
  now: () => number;
  /** Reads the requests that have arrived. Absent where nothing else can arrive. */
  turnEventLoop: (() => Promise<void>) | undefined;
}

export function createTurns(options: TurnsOptions): Turns {
  const { now, turnEventLoop, maxConcurrency, maxQueueMs, workers, dynamicBatching } = options;
  const overload = createOverload(now, maxQueueMs);
  const goingOn = turnEventLoop && createGoingOn({ now, turnEventLoop, isWaited });
  const transfer =
    turnEventLoop && goingOn && createTransferTurns({ now, overload, turnEventLoop, goingOn });
  const preparing = createAdmission({ now, turnEventLoop, overload, parallelism: 1, goingOn });
  const elsewhere = createAdmission({ now, turnEventLoop: undefined, overload, parallelism: 1 });
  const running = createAdmission({
    now,
    // Runs in other processes do not block this one.
    turnEventLoop: workers > 0 ? undefined : turnEventLoop,
    overload,
    goingOn: workers > 0 ? undefined : goingOn,
    // Joined runs are computed at the same time, up to the rows of a joint run.
    parallelism: Math.max(workers, 1, ...dynamicBatching.values()),
  });

  function isWaited(): boolean {
    return [transfer, preparing, running].some((line) => line?.isWaited());
  }

  return {
    transfer,
    preparing,
    elsewhere,
    running,
    overflow() {
      const refusal = running.refusal();
      // Slow bodies and slow stores also make a crowd. No shorter queue would help there.
      const waiting = preparing.length() + elsewhere.length() + running.length();
      if (waiting >= maxConcurrency / 2) overload.begin();
      return refusal;
    },
  };
}
