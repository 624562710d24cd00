// A load generator that does not wait for answers. Requests come at a constant rate, as from many clients. It runs as a
// process of its own, reads an OpenLoad and prints an OpenLoopResult.
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { childOptions } from "./processes.ts";
import { median, quantile } from "./statistics.ts";

export interface OpenLoad {
  url: string;
  body: string;
  /** Requests a second. */
  rate: number;
  seconds: number;
  /** The load begins this many seconds before the ones that count. */
  leadSeconds?: number;
}

/**
 * Quantiles are milliseconds since a request was due, even if it was sent later. They are medians over windows of five
 * seconds, because other work on the machine stalls some windows.
 */
export interface OpenLoopResult {
  offered: number;
  served: number;
  /** Answers with status 503. */
  refused: number;
  /** Answers with any other status, and failures. */
  failed: number;
  /** 200s a second. */
  goodput: number;
  servedP50: number;
  servedP99: number;
  refusedP50: number;
  refusedP99: number;
}

const WINDOW_MS = 5000;

/** Sends the load and waits for the last answer. */
export async function offer({
  url,
  body,
  rate,
  seconds,
  leadSeconds = 0,
}: OpenLoad): Promise<OpenLoopResult> {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 1000 });
  const served: Waited[] = [];
  const refused: Waited[] = [];
  let failed = 0;
  /** Answers that do not count. */
  let early = 0;
  const ask = (due: number): Promise<void> =>
    new Promise((resolve) => {
      const headers = { "Content-Type": "application/json", "Content-Length": body.length };
      const asked = request(url, { agent, method: "POST", headers }, (answer) => {
        answer.resume().on("end", () => {
          const waited = {
            window: Math.floor((due - start) / WINDOW_MS),
            ms: performance.now() - due,
          };
          if (answer.statusCode !== 200 && answer.statusCode !== 503) failed += 1;
          else if (waited.window < 0) early += 1;
          else if (answer.statusCode === 200) served.push(waited);
          else refused.push(waited);
          resolve();
        });
      });
      asked.on("error", (error: NodeJS.ErrnoException) => {
        // The server closed an idle connection at the moment of its next use.
        if (asked.reusedSocket && error.code === "ECONNRESET") return resolve(ask(due));
        failed += 1;
        resolve();
      });
      asked.end(body);
    });

  const begin = performance.now();
  const start = begin + leadSeconds * 1000;
  const answers: Promise<void>[] = [];
  const count = Math.round(rate * (leadSeconds + seconds));
  while (answers.length < count) {
    const due = Math.min(count, Math.ceil(((performance.now() - begin) / 1000) * rate));
    while (answers.length < due) answers.push(ask(begin + (answers.length / rate) * 1000));
    await sleep(1);
  }
  await Promise.all(answers);
  agent.destroy();
  return {
    offered: count - early,
    served: served.length,
    refused: refused.length,
    failed,
    goodput: served.length / seconds,
    servedP50: typical(served, 0.5),
    servedP99: typical(served, 0.99),
    refusedP50: typical(refused, 0.5),
    refusedP99: typical(refused, 0.99),
  };
}

interface Waited {
  window: number;
  ms: number;
}

function typical(waits: readonly Waited[], q: number): number {
  const windows = new Map<number, number[]>();
  for (const { window, ms } of waits) windows.set(window, [...(windows.get(window) ?? []), ms]);
  return median([...windows.values()].map((window) => quantile(window, q)));
}

if (import.meta.main) console.log(JSON.stringify(await offer(childOptions() as OpenLoad)));
