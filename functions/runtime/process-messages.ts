import type { ErrorCode } from "../errors.ts";
import type { Tensors } from "../tensor.ts";
import type { ArtifactSource, ExternalData } from "./types.ts";

/** The server's calls to an inference process. The server chooses the number `session`. */
export type ProcessCall =
  | {
      kind: "load";
      session: number;
      artifact: ArtifactSource;
      externalData: readonly ExternalData[];
    }
  | { kind: "run"; session: number; feeds: Tensors; outputNames: readonly string[] }
  | { kind: "release"; session: number };

export interface ProcessRequest {
  id: number;
  call: ProcessCall;
}

export interface ProcessAnswer {
  id: number;
  outputs?: Tensors;
  error?: { message: string; code?: ErrorCode };
}
