// Clients that wait for their answers before they ask again, also on a machine that has other work.
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { onTestFinished } from "vitest";

export interface ClosedLoop {
  fetch: (path: string, init: RequestInit) => Promise<Response>;
  model: string;
  inputs: unknown;
  clients: number;
  /** Each client asks once more after this time. */
  milliseconds: number;
}

/** How many answers of each status the clients got. */
export async function closedLoop(options: ClosedLoop): Promise<Record<number, number>> {
  const { fetch, model, inputs, clients, milliseconds } = options;
  const counts: Record<number, number> = {};
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ inputs });
  const end = performance.now() + milliseconds;
  const client = async () => {
    for (let isLast = false; !isLast;) {
      isLast = performance.now() >= end;
      const answer = await fetch(`/v1/models/${model}/predict`, { method: "POST", headers, body });
      await answer.arrayBuffer();
      counts[answer.status] = (counts[answer.status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return counts;
}

/** If the test is ended before it ends this, it ends by itself after the time that a test may take. */
const BUSY = "const end = Date.now() + 180_000; while (Date.now() < end);";

/** Keeps all cores busy until the test is over. */
export function keepMachineBusy(): void {
  for (let core = 0; core < availableParallelism(); core++) {
    const child = spawn(process.execPath, ["-e", BUSY], { stdio: "ignore" });
    onTestFinished(() => void child.kill("SIGKILL"));
  }
}
