// A thread of an inference process. A run blocks the main thread, so this one notices the end of the server and how
// much memory the run takes.
import { workerData } from "node:worker_threads";
import { OVER_MEMORY_SIGNAL, type Watched } from "./watched.ts";

const INTERVAL_MS = 50;

const { parent, mostBytes } = workerData as Watched;

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, "SIGKILL");
  if (process.memoryUsage.rss() > mostBytes) process.kill(process.pid, OVER_MEMORY_SIGNAL);
}, INTERVAL_MS);
