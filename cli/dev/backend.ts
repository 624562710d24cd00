import type { IncomingMessage, ServerResponse } from "node:http";

/** Where the models folder is, and what serves it. */
export interface DevOptions {
  models: string;
  entry: string | undefined;
}

/** One running service. A change starts another one and ends this one. */
export interface Backend {
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  /** Resolves when nothing of it runs any more. */
  stop: () => Promise<void>;
}

export interface StartOptions {
  /** The service ended by itself. */
  onEnd: (why: string) => void;
  /** Ends a start that is under way. */
  signal: AbortSignal;
}

/** How one platform is run. */
export interface Platform {
  /** What it is, for the terminal. */
  name: string;
  /** Starts the service as the files are now. Rejects with what it said when it does not start. */
  start: (options: StartOptions) => Promise<Backend>;
  /** Compiles the project's code anew; rejects when it does not compile. Absent where the platform sees to it. */
  build?: () => Promise<void>;
  /** The files that the code was made of. */
  sources: () => readonly string[];
}
