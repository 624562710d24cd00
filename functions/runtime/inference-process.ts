// A process that runs models for the server: sessions of the native runtime, one call after the other.
// Its argument is the number of threads for one run.
import { setPriority } from "node:os";
import { NearcastError } from "../errors.ts";
import type { Tensors } from "../tensor.ts";
import { createNativeRuntime } from "./onnxruntime-node.ts";
import type { Session } from "./types.ts";
import type { ProcessAnswer, ProcessCall, ProcessRequest } from "./process-messages.ts";

/**
 * A third of the server's share of the processor: the server reads and answers first, so that all processes
 * have work.
 */
const NICENESS = 5;
try {
  setPriority(NICENESS);
} catch {
  // A sandbox may forbid it. Answers are then only slower.
}

const runtime = createNativeRuntime({ threads: Number(process.argv[2]) });
/** Promises: a run may arrive while its session is still loading. */
const sessions = new Map<number, Promise<Session>>();

process.on("message", ({ id, call }: ProcessRequest) => {
  answer(call).then(
    (outputs) => send({ id, ...(outputs && { outputs }) }),
    (error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      send({ id, error: { message, ...(error instanceof NearcastError && { code: error.code }) } });
    },
  );
});

// Terminals and systemd send signals to the whole group. This process ignores them, because the server may
// still need its answers. When the server ends, in whatever way, the channel closes.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => undefined);
process.on("disconnect", () => process.exit());

async function answer(call: ProcessCall): Promise<Tensors | undefined> {
  if (call.kind === "load") {
    const loading = runtime.load(call.artifact, call.externalData);
    sessions.set(call.session, loading);
    try {
      await loading;
    } catch (error) {
      sessions.delete(call.session);
      throw error;
    }
    return undefined;
  }
  const session = await sessions.get(call.session);
  if (call.kind === "run") {
    if (!session) throw new Error(`this process has no session ${call.session}`);
    return session.run(call.feeds, call.outputNames);
  }
  sessions.delete(call.session);
  await session?.release();
  return undefined;
}

function send(message: ProcessAnswer): void {
  // The server may be gone. Then this process ends too.
  process.send?.(message, undefined, undefined, () => undefined);
}
