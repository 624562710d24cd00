/** The settings of an inference process's watching thread. */
export interface Watched {
  /** The server's process id. The process ends with it. */
  parent: number;
  /** The process ends when its resident memory is larger. */
  mostBytes: number;
}

/**
 * Ends a process that took too much memory. Nothing else sends this signal, so it shows the reason. Windows has no such
 * signals.
 */
export const OVER_MEMORY_SIGNAL = process.platform === "win32" ? "SIGKILL" : "SIGUSR2";
