/** What the watching thread of an inference process is told. */
export interface Watched {
  /** The server's process id. The process ends with it. */
  parent: number;
  /** The process ends when its resident memory is larger. */
  mostBytes: number;
}

/** Ends a process that took too much memory. Nothing else sends it, so it says why. Windows knows no such signals. */
export const OVER_MEMORY_SIGNAL = process.platform === "win32" ? "SIGKILL" : "SIGUSR2";
