// A load generator that asks several servers at once. It runs as a process of its own, reads Together and prints the processor
// time of each server. The servers share a core, so that what disturbs the machine falls on all of them alike.
import { readdirSync, readFileSync } from "node:fs";
import autocannon from "autocannon";
import { childOptions, LOAD_CORE, runChild } from "./processes.ts";
import { createWorkload } from "./workload.ts";

export interface Together {
  servers: { name: string; pid: number; url: string }[];
  /** The model of the requests. */
  model: string;
  /** To each server. */
  connections: number;
  /** How many requests each server gets. As many come before, to warm it up. */
  amount: number;
}

/** Microseconds of processor time a request by server, kernel included. Rejects when any answer is not a 2xx. */
export function measureTogether(together: Together): Promise<{ [name: string]: number }> {
  return runChild("together.ts", together, LOAD_CORE);
}

if (import.meta.main) {
  const { servers, model, connections, amount } = childOptions() as Together;
  const { contentType, bodies } = await createWorkload({ model });
  const load = {
    method: "POST" as const,
    headers: { "content-type": contentType },
    requests: bodies.map((body) => ({ body })),
    connections,
    amount,
    // It looks for its end at this interval. Its default is a second.
    sampleInt: 20,
  };
  const askAll = () =>
    Promise.all(
      servers.map(async ({ name, pid, url }) => {
        const before = threadSeconds(pid);
        const result = await autocannon({ ...load, url });
        if (result["2xx"] !== amount) throw new Error(`${url}: ${JSON.stringify(result)}`);
        return [name, ((threadSeconds(pid) - before) * 1e6) / amount] as const;
      }),
    );
  await askAll();
  console.log(JSON.stringify(Object.fromEntries(await askAll())));
}

/** Processor time of all threads, in nanosecond steps. `/proc/<pid>/stat` has ticks of 10 ms. */
function threadSeconds(pid: number): number {
  let total = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`))
    total += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  return total / 1e9;
}
