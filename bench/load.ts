// The load generator, a process of its own: reads a Load, prints a LoadResult.
import autocannon from "autocannon";
import { childOptions, LOAD_CORE, runChild, treeCpu } from "./processes.ts";
import { quantile } from "./statistics.ts";
import { tensorBodies, type TensorRequests } from "./tensor-requests.ts";
import { createWorkload, type WorkloadOptions } from "./workload.ts";

export interface Load {
  url: string;
  requests: WorkloadOptions | TensorRequests;
  connections: number;
  seconds: number;
}

export interface LoadResult {
  requestsPerSecond: number;
  /** Microseconds of the server's processor time a request: what noise of the machine changes least. */
  cpu: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

/** Measures the server with this process id; rejects when a single answer was not a 2xx. */
export async function measureLoad(pid: number, load: Load): Promise<LoadResult> {
  const before = await treeCpu(pid);
  const answer = await runChild<Answer>("load.ts", load, LOAD_CORE);
  return { ...answer, cpu: (((await treeCpu(pid)) - before) * 1e6) / answer.answers };
}

type Answer = Omit<LoadResult, "cpu"> & { answers: number };

if (import.meta.main) {
  const { url, requests, connections, seconds } = childOptions() as Load;
  const { headers, bodies } =
    "tensors" in requests ? await tensorBodies(requests) : await rowBodies(requests);
  const instance = autocannon({
    url,
    method: "POST",
    headers,
    requests: bodies.map((body) => ({ body })),
    connections,
    duration: seconds,
  });
  // Autocannon's own percentiles are whole milliseconds.
  const latencies: number[] = [];
  instance.on("response", (_client, _status, _bytes, milliseconds) => latencies.push(milliseconds));
  const result = await instance;
  if (result.errors + result.timeouts + result.non2xx > 0)
    throw new Error(`${url}: ${result.errors} errors, ${result.non2xx} answers were not 2xx`);
  const answer: Answer = {
    answers: result["2xx"],
    requestsPerSecond: result["2xx"] / result.duration,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
  console.log(JSON.stringify(answer));
}

async function rowBodies(options: WorkloadOptions) {
  const { contentType, bodies } = await createWorkload(options);
  return { headers: { "content-type": contentType }, bodies };
}
