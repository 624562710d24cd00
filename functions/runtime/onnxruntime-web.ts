import { explainFailure, runtimeFailed } from "./failures.ts";
import type { CreateOrt, OrtWeb } from "./onnxruntime-web-factory.ts";
import { LOG_FATAL_ONLY, wrapSession } from "./session.ts";
import type { ArtifactSource, ExternalData, Runtime, Session } from "./types.ts";

const LOAD_WAIT_MS = 5;
const LOAD_PATIENCE_MS = 20_000;
const WASM_PAGE_BYTES = 65_536;
const NO_MODEL = new Uint8Array(1);

/** One started ONNX Runtime with its own WASM memory. */
interface Instance {
  ort: OrtWeb;
  memory?: WebAssembly.Memory;
  /** Whether the WASM module runs. A failure is then the fault of a load or run, not of the start. */
  started: boolean;
  /** Whether it broke down. It is then not used any more, and is collected with its last session. */
  lost: boolean;
  loading: boolean;
  running: boolean;
}

interface WebRuntimeOptions {
  createOrt: CreateOrt;
  /** Compiled already: workerd accepts only such modules. */
  module: WebAssembly.Module;
  /** The most that WASM memory may grow to. A load or run that needs more rejects with `out_of_memory`. */
  maxMemoryBytes: number;
}

/**
 * ONNX Runtime in WASM. A trap or an abort leaves its memory in an unknown state. The instance is then lost with its
 * sessions, the call rejects with `runtime_failed`, and the next load starts another instance.
 */
export function createWebRuntime(options: WebRuntimeOptions): Runtime {
  let current = startInstance(options);

  function instance(): Instance {
    if (current.lost) current = startInstance(options);
    return current;
  }

  /** Waits for a turn to load, in an instance that is not lost. */
  async function loadingInstance(): Promise<Instance> {
    // ONNX Runtime keeps external data in one table by name and empties it after each load: two loads at once
    // would read each other's weights. On Workers a promise of another request may never settle, so a load
    // waits on timers of its own. An instance whose load never ends is lost.
    for (let waits = 0; instance().loading; waits++) {
      if (waits >= LOAD_PATIENCE_MS / LOAD_WAIT_MS) {
        instance().lost = true;
        throw runtimeFailed(new Error("another model did not finish loading"));
      }
      await new Promise((resolve) => setTimeout(resolve, LOAD_WAIT_MS));
    }
    const mine = instance();
    mine.loading = true;
    return mine;
  }

  const runtime: Runtime = {
    name: "wasm",
    memoryBytes: () => current.memory?.buffer.byteLength ?? 0,
    async load(artifact, externalData = []) {
      const mine = await loadingInstance();
      try {
        const session = await mine.ort.InferenceSession.create(bytesOf(artifact), {
          executionProviders: ["wasm"],
          logSeverityLevel: LOG_FATAL_ONLY,
          ...(externalData.length > 0 && mountedOptions(externalData)),
        });
        const explain = (cause: unknown) => explainIn(mine, cause);
        return inInstance(mine, wrapSession(session, mine.ort.Tensor, explain));
      } catch (cause) {
        throw explainIn(mine, cause);
      } finally {
        mine.loading = false;
      }
    },
  };
  // ONNX Runtime starts with its first load, even of a model that it refuses. That is half of a Worker's first answer. Here
  // it is part of the Worker's start: 75 ms more of the second that Cloudflare gives it, while the connection is made.
  runtime.load({ bytes: NO_MODEL }).catch(() => undefined);
  return runtime;
}

function inInstance(mine: Instance, session: Session): Session {
  return {
    async run(feeds, outputNames) {
      // ONNX Runtime Web's runs yield while their arguments lie on the only WASM stack, so overlapping runs would
      // overwrite each other's arguments. A run therefore waits for the end of the run before it, which needs no timer
      // and is some turns away. It does not await that run's promise, which may never settle on Workers.
      while (mine.running && !mine.lost) await Promise.resolve();
      if (mine.lost) throw runtimeFailed(new Error("another run broke the runtime down"));
      mine.running = true;
      try {
        return await session.run(feeds, outputNames);
      } finally {
        mine.running = false;
      }
    },
    lost: () => mine.lost,
    async release() {
      if (!mine.lost) await session.release();
    },
  };
}

/** Explains a failure. ONNX Runtime and its JavaScript refuse with plain errors; any other error is a breakdown. */
function explainIn(mine: Instance, cause: unknown): unknown {
  const refused = cause instanceof Error && [Error, TypeError].includes(cause.constructor as never);
  if (refused && mine.started) return explainFailure(cause);
  mine.lost = true;
  return runtimeFailed(cause);
}

/**
 * Starts an instance with our own `WebAssembly`. It uses the compiled module and makes a memory no larger than allowed.
 * ONNX Runtime's own options take the module only as bytes, and cannot limit memory.
 */
function startInstance({ createOrt, module, maxMemoryBytes }: WebRuntimeOptions): Instance {
  const ort = createOrt(
    Object.create(WebAssembly, {
      Memory: {
        value: function Memory(descriptor: WebAssembly.MemoryDescriptor) {
          const most = Math.floor(maxMemoryBytes / WASM_PAGE_BYTES);
          // Not more than the module declares: 65,536 pages, which is all that 32 bits can address.
          const maximum = Math.min(descriptor.maximum ?? most, most);
          mine.memory = new WebAssembly.Memory({ ...descriptor, maximum });
          return mine.memory;
        },
      },
      instantiate: {
        value: async (_bytes: unknown, imports: WebAssembly.Imports) => {
          const instance = await WebAssembly.instantiate(module, imports);
          mine.started = true;
          return { module, instance };
        },
      },
    }) as typeof WebAssembly,
  );
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = new ArrayBuffer(1);
  ort.env.logLevel = "error";
  const mine: Instance = { ort, started: false, lost: false, loading: false, running: false };
  return mine;
}

/** Options for external weights. Without prepacking, WASM memory holds the weights once instead of twice. */
function mountedOptions(externalData: readonly ExternalData[]) {
  return {
    externalData: externalData.map(({ name, source }) => ({ path: name, data: bytesOf(source) })),
    extra: { session: { disable_prepacking: "1" } },
  };
}

function bytesOf(source: ArtifactSource): Uint8Array {
  if (!("bytes" in source)) throw new TypeError("the WASM runtime loads from bytes");
  return source.bytes;
}
