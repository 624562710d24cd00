import { explainFailure, runtimeFailed } from "./failures.ts";
import type { CreateOrt, OrtWeb } from "./onnxruntime-web-factory.ts";
import { LOG_FATAL_ONLY, wrapSession } from "./session.ts";
import type { ArtifactSource, ExternalData, Runtime, Session } from "./types.ts";

const LOAD_WAIT_MS = 5;
const LOAD_PATIENCE_MS = 20_000;
const WASM_PAGE_BYTES = 65_536;

/** One start of ONNX Runtime with a WASM memory of its own, and what is known of it. */
interface Instance {
  ort: OrtWeb;
  memory?: WebAssembly.Memory;
  /** The WASM module runs: what fails from now on is a load or a run, and not the start. */
  started: boolean;
  /** It broke down. Nothing is asked of it any more; it is collected with the last session that was in it. */
  lost: boolean;
  loading: boolean;
  running: boolean;
}

interface WebRuntimeOptions {
  createOrt: CreateOrt;
  /** Already compiled: workerd accepts no other. */
  module: WebAssembly.Module;
  /** What WASM memory may grow to; a load or run that needs more rejects with `out_of_memory`. */
  maxMemoryBytes: number;
}

/**
 * WASM ONNX Runtime. A trap or an abort leaves its memory in any state: that instance is lost with its
 * sessions, the call rejects with `runtime_failed`, and the next load starts another instance.
 */
export function createWebRuntime(options: WebRuntimeOptions): Runtime {
  let current: Instance | undefined;

  function instance(): Instance {
    if (!current || current.lost) current = startInstance(options);
    return current;
  }

  /** Its turn to load, in an instance that is not lost. */
  async function loadingInstance(): Promise<Instance> {
    // ONNX Runtime keeps external data in one table by name and empties it after each load: two
    // loads at once would read each other's weights. A promise of another request may never settle
    // on Workers, so a load waits on timers of its own; one that never ends loses its instance.
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

  return {
    name: "wasm",
    memoryBytes: () => current?.memory?.buffer.byteLength ?? 0,
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
}

function inInstance(mine: Instance, session: Session): Session {
  return {
    async run(feeds, outputNames) {
      // ONNX Runtime Web's runs give way to each other while their arguments lie on the one WASM stack,
      // and would write over each other's. A run needs no timer, so its end is some turns away; a
      // promise of its request may never settle on Workers.
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

/** ONNX Runtime's own refusals are plain errors, and so are its JavaScript's. All else broke it down. */
function explainIn(mine: Instance, cause: unknown): unknown {
  const refused = cause instanceof Error && [Error, TypeError].includes(cause.constructor as never);
  if (refused && mine.started) return explainFailure(cause);
  mine.lost = true;
  return runtimeFailed(cause);
}

/**
 * ONNX Runtime's options take the module as bytes and say nothing of memory. It is therefore given a
 * `WebAssembly` of ours, which makes its instance of the module and its memory no larger than allowed.
 */
function startInstance({ createOrt, module, maxMemoryBytes }: WebRuntimeOptions): Instance {
  const ort = createOrt(
    Object.create(WebAssembly, {
      Memory: {
        value: function Memory(descriptor: WebAssembly.MemoryDescriptor) {
          const most = Math.floor(maxMemoryBytes / WASM_PAGE_BYTES);
          // Never more than the module itself declares: 65,536 pages, all that 32 bits address.
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

/** Without prepacking the weights lie in WASM memory once and not twice. */
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
