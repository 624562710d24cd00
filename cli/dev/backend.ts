import type { IncomingMessage, ServerResponse } from "node:http";

/** Where the models folder is, and what serves it. */
export interface DevOptions {
  models: string;
  entry: string | undefined;
}

/** One running service. After a change another one starts and this one ends. */
export interface Backend {
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  /** Resolves when all of it has ended. */
  stop: () => Promise<void>;
}

export interface StartOptions {
  /** Called when the service ends by itself. */
  onEnd: (why: string) => void;
  /** Cancels a start. */
  signal: AbortSignal;
}

/** Runs one platform. */
export interface Platform {
  /** Its name on the terminal. */
  name: string;
  /** Starts the service from the present files. When it does not start, rejects with what it said. */
  start: (options: StartOptions) => Promise<Backend>;
  /** Compiles the project's code again. Rejects when it does not compile. Absent where the platform compiles it itself. */
  build?: () => Promise<void>;
  /** The files that the code was made of. */
  sources: () => readonly string[];
}
