import { fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { NearcastError } from "../errors.ts";
import { Line } from "../line.ts";
import type { Tensors } from "../tensor.ts";
import type { ProcessAnswer, ProcessCall, ProcessRequest } from "./process-messages.ts";
import { OVER_MEMORY_SIGNAL } from "./watched.ts";

/** Why a process ended: it crashed, it took too much memory, or its call did not end in time. */
type Reason = "crash" | "memory" | "late";

/** A call whose inference process ended. `begun`: it was being computed, and may be the cause. */
export interface LostCall {
  begun: boolean;
  reason: Reason;
}

export interface InferenceProcess {
  /**
   * Rejects with ONNX Runtime's reason. Resolves to a {@link LostCall} when the process ended. Ends the process when
   * the call is not done {@link GRACE_MS} after `until`, a time of `performance.now()`.
   */
  call(call: ProcessCall, until: number): Promise<Tensors | LostCall>;
  /** Calls that have not been answered. */
  pending(): number;
}

interface Waiting {
  id: number;
  resolve: (answer: Tensors | LostCall) => void;
  reject: (error: Error) => void;
  until: number;
}

/** A run that nobody waits for may take this much longer: starting a new process takes about as long. */
const GRACE_MS = 2000;
/** The longest that a timer can be. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Whether an answer is a lost call. Tensors by name have no boolean members. */
export function isLost(answer: Tensors | LostCall): answer is LostCall {
  return typeof (answer as LostCall).begun === "boolean";
}

interface InferenceProcessOptions {
  /** For one run. */
  threads: number;
  /** The most memory that the process may take. */
  memoryBytes: number;
  log: (entry: Record<string, unknown>) => void;
  /** Called once, before its calls count as lost. */
  onEnd: () => void;
}

export function startInferenceProcess({
  threads,
  memoryBytes,
  log,
  onEnd,
}: InferenceProcessOptions): InferenceProcess {
  /** In the order of the calls and of their answers. The first call is the one that is being computed. */
  const waiting = new Line<Waiting>();
  let calls = 0;
  let ended = false;
  let isLate = false;
  let timer: NodeJS.Timeout | undefined;
  // The file is beside this one: TypeScript in the sources, JavaScript in the build.
  const file = `inference-process${extname(import.meta.url)}`;
  const child = fork(
    fileURLToPath(new URL(file, import.meta.url)),
    [String(threads), String(memoryBytes)],
    { serialization: "advanced", stdio: ["ignore", "inherit", "inherit", "ipc"], execArgv: [] },
  );
  child.on("message", (message) => {
    const { id, outputs, error } = message as ProcessAnswer;
    const call = take(id);
    timeFirst();
    if (error === undefined) call?.resolve(outputs ?? {});
    else if (error.code) call?.reject(new NearcastError(error.code, error.message));
    else call?.reject(new Error(error.message));
  });
  child.on("disconnect", () => {
    // Keeps the server alive until the process has ended and its calls are settled.
    if (waiting.size > 0) child.ref();
    kill();
  });
  child.on("error", () => end("crash"));
  // `close` comes after the last message and shows how the process ended.
  child.on("close", (exitCode, signal) => {
    const atRest = isLate ? "late" : "crash";
    const reason = signal === OVER_MEMORY_SIGNAL && !isLate ? "memory" : atRest;
    const message = "An inference process ended.";
    log({ level: "error", message, pid: child.pid, exitCode, signal, reason });
    end(reason);
  });
  child.unref();
  child.channel?.unref();

  /** Removes the call whose answer has come. */
  function take(id: number): Waiting | undefined {
    for (const place of waiting)
      if (place.value.id === id) {
        waiting.leave(place);
        return place.value;
      }
    return undefined;
  }

  function kill(): void {
    child.kill("SIGKILL");
  }

  function end(reason: Reason): void {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    kill();
    onEnd();
    let begun = true;
    for (const place of waiting) {
      waiting.leave(place);
      place.value.resolve({ begun, reason });
      begun = false;
    }
  }

  /** Starts the timer for the call that is being computed. */
  function timeFirst(): void {
    clearTimeout(timer);
    const first = waiting.first?.value;
    if (!first) child.channel?.unref();
    else if (first.until !== Infinity) wait(first.until - performance.now(), lateFirst);
  }

  /**
   * The first call's time is over. Gives it a little more before its process is ended. A process whose calls nobody
   * waits for no longer keeps the server alive.
   */
  function lateFirst(): void {
    const now = performance.now();
    if ([...waiting].every(({ value }) => value.until <= now)) child.channel?.unref();
    wait(GRACE_MS, () => {
      isLate = true;
      kill();
    });
  }

  function wait(milliseconds: number, then: () => void): void {
    const bounded = Math.min(Math.max(milliseconds, 0), LONGEST_TIMER_MS);
    timer = setTimeout(then, bounded).unref();
  }

  return {
    call(call, until) {
      if (ended) return Promise.resolve({ begun: false, reason: "crash" });
      const id = ++calls;
      return new Promise((resolve, reject) => {
        waiting.enter({ id, resolve, reject, until });
        if (waiting.size === 1) {
          child.channel?.ref();
          timeFirst();
        }
        child.send({ id, call } satisfies ProcessRequest, (error) => error && kill());
      });
    },
    pending: () => waiting.size,
  };
}
