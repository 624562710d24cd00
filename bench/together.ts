// A load generator that asks several servers at once, or several addresses of one server in turns. It runs as a process of
// its own, reads Together and prints the processor time of each. The servers share a core, so that what disturbs the machine
// falls on all of them alike.
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import autocannon from "autocannon";
import { childOptions, LOAD_CORE, runChild } from "./processes.ts";
import { inTurn } from "./rounds.ts";
import { median } from "./statistics.ts";
import { tensorBodies, type TensorRequests } from "./tensor-requests.ts";
import { createWorkload } from "./workload.ts";

export interface Together {
  servers: { name: string; pid: number; url: string; tensors?: TensorRequests }[];
  /** The model of the requests, where the servers have no tensors. */
  model?: string;
  /** Instead: a file with JSON bodies by the server's name. */
  bodiesFile?: string;
  /** Asks them one after the other, so often. All at once when absent. */
  turns?: number;
  /** To each server. */
  connections: number;
  /** How many requests each server gets, in each turn. As many come before, to warm it up. */
  amount: number;
}

/** Microseconds of processor time a request by server, kernel included. Rejects when any answer is not a 2xx. */
export function measureTogether(together: Together): Promise<{ [name: string]: number }> {
  return runChild("together.ts", together, LOAD_CORE);
}

if (import.meta.main) {
  const { servers, model, bodiesFile, turns, connections, amount } = childOptions() as Together;
  const shared = model === undefined ? undefined : await createWorkload({ model });
  const own = bodiesFile === undefined ? {} : await bodiesIn(bodiesFile);
  const bodiesOf = new Map(
    await Promise.all(
      servers.map(async ({ name, tensors }) => {
        const made = tensors ? await tensorBodies(tensors) : undefined;
        const headers = { "content-type": shared?.contentType ?? "application/json" };
        const bodies = (own[name] ?? shared?.bodies ?? []).map((body) => Buffer.from(body));
        return [name, made ?? { headers, bodies }] as const;
      }),
    ),
  );
  async function ask({ name, pid, url }: Together["servers"][number]) {
    const { headers = {}, bodies = [] } = bodiesOf.get(name) ?? {};
    const before = threadSeconds(pid);
    const result = await autocannon({
      url,
      method: "POST",
      headers,
      requests: bodies.map((body) => ({ body })),
      connections,
      amount,
      // It looks for its end at this interval. Its default is a second.
      sampleInt: 20,
    });
    if (result["2xx"] !== amount) throw new Error(`${url}: ${JSON.stringify(result)}`);
    return [name, ((threadSeconds(pid) - before) * 1e6) / amount] as const;
  }
  const askAll = async () => Object.fromEntries(await Promise.all(servers.map(ask)));
  async function askInTurns(count: number) {
    const times = new Map<string, number[]>();
    for (let turn = 0; turn < count; turn++)
      for (const server of inTurn(servers, turn)) {
        const [name, time] = await ask(server);
        times.set(name, [...(times.get(name) ?? []), time]);
      }
    return Object.fromEntries([...times].map(([name, all]) => [name, median(all)]));
  }
  const measure = () => (turns === undefined ? askAll() : askInTurns(turns));
  await measure();
  console.log(JSON.stringify(await measure()));
}

async function bodiesIn(file: string) {
  return JSON.parse(await readFile(file, "utf8")) as { [name: string]: string[] };
}

/** Processor time of all threads, in nanosecond steps. `/proc/<pid>/stat` has ticks of 10 ms. */
function threadSeconds(pid: number): number {
  let total = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`))
    total += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  return total / 1e9;
}
