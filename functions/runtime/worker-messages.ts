import type { ErrorCode } from "../errors.ts";
import type { Tensors } from "../tensor.ts";
import type { ArtifactSource, ExternalData } from "./types.ts";

/** What the server asks of an inference process; `session` is a number of the server's choice. */
export type WorkerCall =
  | {
      kind: "load";
      session: number;
      artifact: ArtifactSource;
      externalData: readonly ExternalData[];
    }
  | { kind: "run"; session: number; feeds: Tensors; outputNames: readonly string[] }
  | { kind: "release"; session: number };

export interface WorkerRequest {
  id: number;
  call: WorkerCall;
}

export interface WorkerAnswer {
  id: number;
  outputs?: Tensors;
  error?: { message: string; code?: ErrorCode };
}
