// Loaded before the server under test (`node --import`). It tells, on a socket of its own, what was used since it was
// last asked: `Usage` as JSON. Whoever connects begins a new measurement.
import { createServer } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What a process used since it was last asked. */
export interface Usage {
  /** Milliseconds of processor time of all threads. */
  cpu: number;
  /** Milliseconds of processor time of the event loop between two of its timers: the longest piece of work. */
  piece: number;
}

const EVERY_MS = 2;

const path = process.env["COST_PROBE"];
if (path !== undefined) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  let [before, piece, last] = [process.cpuUsage(), 0, 0];
  const look = (): void => {
    const now = threadMs();
    piece = Math.max(piece, now - last);
    last = now;
  };
  setInterval(look, EVERY_MS).unref();
  const server = createServer((socket) => {
    look();
    const { user, system } = process.cpuUsage(before);
    const usage: Usage = { cpu: (user + system) / 1000, piece };
    collect();
    [before, piece, last] = [process.cpuUsage(), 0, threadMs()];
    socket.on("error", () => undefined);
    socket.end(JSON.stringify(usage));
  });
  // Processes that the server starts load this file too. The first one is measured.
  server.on("error", () => undefined);
  server.listen(path).unref();
}

/** By the clock of the thread, and not the wall's: other processes on the machine do not count. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
