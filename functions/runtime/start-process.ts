import { fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { NearcastError } from "../errors.ts";
import type { Tensors } from "../tensor.ts";
import type { ProcessAnswer, ProcessCall, ProcessRequest } from "./process-messages.ts";

/** What became of a call when its inference process ended: not begun, or perhaps the cause. */
export interface LostCall {
  begun: boolean;
}

export interface InferenceProcess {
  /** Rejects with ONNX Runtime's reason. Resolves to a {@link LostCall} when the process ended. */
  call(call: ProcessCall): Promise<Tensors | LostCall>;
  /** Calls that have not been answered. */
  pending(): number;
}

interface Waiting {
  resolve: (answer: Tensors | LostCall) => void;
  reject: (error: Error) => void;
}

/** Tensors are objects by name. None of their members is a boolean. */
export function isLost(answer: Tensors | LostCall): answer is LostCall {
  return typeof (answer as LostCall).begun === "boolean";
}

interface InferenceProcessOptions {
  /** For one run. */
  threads: number;
  log: (entry: Record<string, unknown>) => void;
  /** Called once, before its calls count as lost. */
  onEnd: () => void;
}

export function startInferenceProcess({
  threads,
  log,
  onEnd,
}: InferenceProcessOptions): InferenceProcess {
  /** In the order of the calls, which is the order of their answers. */
  const waiting = new Map<number, Waiting>();
  let calls = 0;
  let ended = false;
  // It lies beside this file: as TypeScript in the sources, as JavaScript in what is built.
  const file = `inference-process${extname(import.meta.url)}`;
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [String(threads)], {
    serialization: "advanced",
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    execArgv: [],
  });
  child.on("message", (message) => {
    const { id, outputs, error } = message as ProcessAnswer;
    const call = waiting.get(id);
    waiting.delete(id);
    // An idle process does not keep the server alive. A call does.
    if (waiting.size === 0) child.channel?.unref();
    if (error === undefined) call?.resolve(outputs ?? {});
    else if (error.code) call?.reject(new NearcastError(error.code, error.message));
    else call?.reject(new Error(error.message));
  });
  // Comes after its last message, however it ended.
  child.on("disconnect", end);
  child.on("error", end);
  child.on("exit", (exitCode, signal) => {
    log({
      level: "error",
      message: "An inference process ended.",
      pid: child.pid,
      exitCode,
      signal,
    });
  });
  child.unref();
  child.channel?.unref();

  function end(): void {
    if (ended) return;
    ended = true;
    child.kill("SIGKILL");
    onEnd();
    let begun = true;
    for (const { resolve } of waiting.values()) {
      resolve({ begun });
      begun = false;
    }
    waiting.clear();
  }

  return {
    call(call) {
      if (ended) return Promise.resolve({ begun: false });
      const id = ++calls;
      return new Promise((resolve, reject) => {
        if (waiting.size === 0) child.channel?.ref();
        waiting.set(id, { resolve, reject });
        child.send({ id, call } satisfies ProcessRequest, (error) => error && end());
      });
    },
    pending: () => waiting.size,
  };
}
