import { fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { NearcastError } from "../errors.ts";
import { Line } from "../line.ts";
import type { Tensors } from "../tensor.ts";
import type { ProcessAnswer, ProcessCall, ProcessRequest } from "./process-messages.ts";
import { OVER_MEMORY_SIGNAL } from "./watched.ts";

/** Why a process ended: by itself, because it took too much memory, or because its call did not end in time. */
type Reason = "crash" | "memory" | "late";

/** What became of a call when its inference process ended: not begun, or perhaps the cause. */
export interface LostCall {
  begun: boolean;
  reason: Reason;
}

export interface InferenceProcess {
  /**
   * Rejects with ONNX Runtime's reason. Resolves to a {@link LostCall} when the process ended. When the call is not done
   * {@link GRACE_MS} after `until`, a time of `performance.now()`, the process is ended.
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

/** A run that nobody waits for any more may take this long to end: a new process costs about as much. */
const GRACE_MS = 2000;
/** The longest that a timer can be. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Tensors are objects by name. None of their members is a boolean. */
export function isLost(answer: Tensors | LostCall): answer is LostCall {
  return typeof (answer as LostCall).begun === "boolean";
}

interface InferenceProcessOptions {
  /** For one run. */
  threads: number;
  /** The most memory that it may take. */
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
  /** In the order of the calls, which is the order of their answers: the first is the one that is computed. */
  const waiting = new Line<Waiting>();
  let calls = 0;
  let ended = false;
  let isLate = false;
  let timer: NodeJS.Timeout | undefined;
  // It lies beside this file: as TypeScript in the sources, as JavaScript in what is built.
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
    // The server waits for its calls' answers, which are known when the process has ended.
    if (waiting.size > 0) child.ref();
    kill();
  });
  child.on("error", () => end("crash"));
  // Comes after its last message, and says how it ended.
  child.on("close", (exitCode, signal) => {
    const atRest = isLate ? "late" : "crash";
    const reason = signal === OVER_MEMORY_SIGNAL && !isLate ? "memory" : atRest;
    const message = "An inference process ended.";
    log({ level: "error", message, pid: child.pid, exitCode, signal, reason });
    end(reason);
  });
  child.unref();
  child.channel?.unref();

  /** Its answer has come. */
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

  /** Gives the call that is computed now its time. */
  function timeFirst(): void {
    clearTimeout(timer);
    const first = waiting.first?.value;
    if (!first) child.channel?.unref();
    else if (first.until !== Infinity) wait(first.until - performance.now(), lateFirst);
  }

  /** A process with calls keeps the server alive, unless nobody waits for any of them. */
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
