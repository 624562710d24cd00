// Runs in a worker thread: sessions of the native runtime, one call after the other.
import { parentPort, workerData } from "node:worker_threads";
import type { Tensors } from "../tensor.ts";
import { createNativeRuntime } from "./onnxruntime-node.ts";
import type { Session } from "./types.ts";
import type { WorkerAnswer, WorkerCall, WorkerRequest } from "./worker-messages.ts";

const runtime = createNativeRuntime(workerData as { threads: number });
/** As promises: a run may be asked for while its session is still loading. */
const sessions = new Map<number, Promise<Session>>();

parentPort?.on("message", ({ id, call }: WorkerRequest) => {
  answer(call).then(
    (outputs) => send({ id, ...(outputs && { outputs }) }, outputs),
    (error: unknown) => send({ id, error: error instanceof Error ? error.message : String(error) }),
  );
});

async function answer(call: WorkerCall): Promise<Tensors | undefined> {
  if (call.kind === "load") {
    const loading = runtime.load(call.artifact, call.externalData);
    sessions.set(call.session, loading);
    await loading;
    return undefined;
  }
  const session = await sessions.get(call.session);
  if (!session) throw new Error(`this worker has no session ${call.session}`);
  if (call.kind === "run") return session.run(call.feeds, call.outputNames);
  sessions.delete(call.session);
  await session.release();
  return undefined;
}

function send(message: WorkerAnswer, outputs: Tensors = {}): void {
  const buffers = Object.values(outputs).flatMap(({ data }) =>
    Array.isArray(data) ? [] : [data.buffer as ArrayBuffer],
  );
  parentPort?.postMessage(message, [...new Set(buffers)]);
}
