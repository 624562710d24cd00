import type { InputIssue } from "../types.ts";

/** The first message: what the worker runs. Its answer is null. */
export interface LoadMessage {
  id: number;
  /** The version as `GET /v1/models/{name}` describes it. */
  description: object;
  /** Artifact, further weights and assets by their names. Their digests were checked. */
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** ONNX Runtime, compiled. */
  runtime: WebAssembly.Module;
}

/** Every further message. The answer is the text of `{"outputs": …}`. */
export interface PredictMessage {
  id: number;
  /** The text of `{"inputs": …, "parameters": …}`, as the service would get it. */
  body: string;
  /** The longest time for the run, in milliseconds. */
  timeoutMs: number;
}

export type ToWorker = LoadMessage | PredictMessage;

/** The service's error for the same call. */
export interface WorkerProblem {
  status: number;
  code: string;
  detail: string;
  errors: InputIssue[];
}

export type FromWorker = { id: number } & ({ value: string | null } | { problem: WorkerProblem });
