import type { Tensors } from "../tensor.ts";

/** An artifact ready to load: its bytes, or its path on a local disk, which needs half the memory. */
export type ArtifactSource = { bytes: Uint8Array } | { path: string };

/** Weights in a file beside the artifact, by the name that the artifact uses. */
export interface ExternalData {
  name: string;
  source: ArtifactSource;
}

/**
 * A loaded artifact. Runs may overlap. Call `release` after the last of them has settled. A run or load rejects
 * with `out_of_memory`, with `runtime_failed`, or with ONNX Runtime's own reason.
 */
export interface Session {
  /**
   * The outputs are the caller's alone. When all is made of them, it may free their memory and that of the feeds.
   * Runs of different `owner`s are never joined. Nobody waits for the run after `until`, a time of `performance.now()`.
   * A runtime that can end runs may then end it.
   */
  run(
    feeds: Tensors,
    outputNames: readonly string[],
    owner?: string,
    until?: number,
  ): Promise<Tensors>;
  release(): Promise<void>;
  /** Whether its runtime broke down, so that the session will never run again. Absent where that cannot happen. */
  lost?(): boolean;
}

/** ONNX Runtime, native or WASM. */
export interface Runtime {
  name: "native" | "wasm";
  load(artifact: ArtifactSource, externalData?: readonly ExternalData[]): Promise<Session>;
  /** Bytes of WASM memory: 0 before the first load, growing until the runtime is replaced. Absent on native. */
  memoryBytes?(): number;
}
