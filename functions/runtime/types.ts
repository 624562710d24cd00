import type { Tensors } from "../tensor.ts";

/** An artifact ready to load: its bytes, or where it lies on a local disk (which needs half the memory). */
export type ArtifactSource = { bytes: Uint8Array } | { path: string };

/** Weights that an artifact keeps in a file of their own, under the name by which it refers to them. */
export interface ExternalData {
  name: string;
  source: ArtifactSource;
}

/**
 * A loaded artifact. Runs may overlap; `release` must be called after the last of them has settled. A
 * run or load rejects with `out_of_memory`, with `runtime_failed`, or with ONNX Runtime's own reason.
 */
export interface Session {
  /** `owner` says whose run it is: where runs are joined, those of different owners never are. */
  run(feeds: Tensors, outputNames: readonly string[], owner?: string): Promise<Tensors>;
  release(): Promise<void>;
  /** Whether the runtime under it broke down: it will never run again. Absent where that cannot be. */
  lost?(): boolean;
}

/** ONNX Runtime, native or WASM. */
export interface Runtime {
  name: "native" | "wasm";
  load(artifact: ArtifactSource, externalData?: readonly ExternalData[]): Promise<Session>;
  /** Bytes of WASM memory, which grows until the runtime is replaced: 0 before the first load. Absent on native. */
  memoryBytes?(): number;
}
