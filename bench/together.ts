// A load generator that goes round several servers in short slices. It runs as a process of its own, reads Slices and prints
// the processor time of each slice. A slow spell of the machine is longer than a slice and falls on all servers alike.
import { readdirSync, readFileSync } from "node:fs";
import autocannon from "autocannon";
import { childOptions, LOAD_CORE, runChild } from "./processes.ts";
import { inTurn } from "./rounds.ts";
import { createWorkload } from "./workload.ts";

export interface Slices {
  servers: { name: string; pid: number; url: string }[];
  /** The model of the requests. */
  model: string;
  connections: number;
  /** How many requests a slice has. */
  amount: number;
  rounds: number;
}

/** Microseconds of processor time a request, kernel included, by server and round. Rejects when any answer is not a 2xx. */
export function measureSlices(slices: Slices): Promise<{ [name: string]: number[] }> {
  return runChild("slices.ts", slices, LOAD_CORE);
}

if (import.meta.main) {
  const { servers, model, connections, amount, rounds } = childOptions() as Slices;
  const { contentType, bodies } = await createWorkload({ model });
  const times = Object.fromEntries(servers.map(({ name }) => [name, [] as number[]]));
  for (let round = -1; round < rounds; round++)
    for (const { name, pid, url } of inTurn(servers, Math.max(round, 0))) {
      const before = threadSeconds(pid);
      const result = await autocannon({
        url,
        method: "POST",
        headers: { "content-type": contentType },
        requests: bodies.map((body) => ({ body })),
        connections,
        amount,
        // It looks for its end at this interval. Its default is a second.
        sampleInt: 20,
      });
      if (result["2xx"] !== amount) throw new Error(`${url}: ${JSON.stringify(result)}`);
      // The first round warms all of them up.
      if (round >= 0) times[name]?.push(((threadSeconds(pid) - before) * 1e6) / amount);
    }
  console.log(JSON.stringify(times));
}

/** Processor time of all threads, in nanosecond steps. `/proc/<pid>/stat` has ticks of 10 ms. */
function threadSeconds(pid: number): number {
  let total = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`))
    total += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  return total / 1e9;
}
