// A process that runs models for the server: sessions of the native runtime, one call after the other.
// Its arguments are the number of threads for one run, and the most bytes of memory that the process may take.
import { setPriority } from "node:os";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { NearcastError } from "../errors.ts";
import type { Tensors } from "../tensor.ts";
import { createNativeRuntime } from "./onnxruntime-node.ts";
import type { Session } from "./types.ts";
import type { ProcessAnswer, ProcessCall, ProcessRequest } from "./process-messages.ts";
import type { Watched } from "./watched.ts";

const [threads, mostBytes] = process.argv.slice(2).map(Number) as [number, number];

// The file is beside this one: TypeScript in the sources, JavaScript in the build.
const watch = new URL(`watch-process${extname(import.meta.url)}`, import.meta.url);
new Worker(watch, {
  workerData: { parent: process.ppid, mostBytes } satisfies Watched,
}).unref();

/**
 * Gives this process a third of the server's share of the processor. The server reads and answers first, so that all
 * processes have work.
 */
const NICENESS = 5;
try {
  setPriority(NICENESS);
} catch {
  // A sandbox may forbid this. Answers are then only slower.
}

const runtime = createNativeRuntime({ threads });
/** Holds promises, since a run may arrive while its session is still loading. */
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
// still need its answers. When the server ends, in whatever way, the channel closes. (While a run blocks this thread,
// the watching thread sees it.)
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
