// The load generator. It runs as a process of its own, reads a Load and prints a LoadResult.
import { setTimeout as sleep } from "node:timers/promises";
import autocannon from "autocannon";
import { childOptions, cpuSeconds, LOAD_CORE, processTree, runChild } from "./processes.ts";
import { startGrpcLoad } from "./grpc-load.ts";
import { quantile } from "./statistics.ts";
import { tensorBodies, type TensorRequests } from "./tensor-requests.ts";
import { createWorkload, type WorkloadOptions } from "./workload.ts";

export interface Load {
  url: string;
  requests: WorkloadOptions | TensorRequests;
  connections: number;
  /** The time that counts. It follows {@link WARM_UP_SECONDS} on the same connections. */
  seconds: number;
}

export interface LoadResult {
  requestsPerSecond: number;
  /** Microseconds of the server's processor time a request. Noise of the machine changes this least. */
  cpu: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

/** In this time V8 compiles the load generator and the connections open. */
const WARM_UP_SECONDS = 0.3;
/** Autocannon looks for its end at this interval. Its default is a second. */
const SAMPLE_MS = 50;

/** Measures the server with this process id. Rejects when any answer is not a 2xx. */
export function measureLoad(pid: number, load: Load): Promise<LoadResult> {
  return runChild<LoadResult>("load.ts", { ...load, pid }, LOAD_CORE);
}

if (import.meta.main) {
  const { url, requests, connections, seconds, pid } = childOptions() as Load & { pid: number };
  const { headers, bodies } =
    "tensors" in requests ? await tensorBodies(requests) : await rowBodies(requests);
  const server = await processTree(pid);
  // Autocannon's own percentiles are whole milliseconds and include the warm-up.
  let latencies: number[] = [];
  const onAnswer = (milliseconds: number): void => void latencies.push(milliseconds);
  const stop = url.startsWith("grpc:")
    ? startGrpcLoad({ url, bodies: bodies.map((body) => Buffer.from(body)), connections }, onAnswer)
    : startHttpLoad({ url, headers, bodies, connections }, onAnswer);
  await sleep(WARM_UP_SECONDS * 1000);
  latencies = [];
  const before = cpuSeconds(server);
  const start = performance.now();
  await sleep(seconds * 1000);
  const counted = latencies;
  latencies = [];
  const elapsed = (performance.now() - start) / 1000;
  const cpu = ((cpuSeconds(server) - before) * 1e6) / counted.length;
  await stop();
  const answer: LoadResult = {
    cpu,
    requestsPerSecond: counted.length / elapsed,
    p50: quantile(counted, 0.5),
    p99: quantile(counted, 0.99),
  };
  console.log(JSON.stringify(answer));
}

interface HttpLoad {
  url: string;
  headers: Record<string, string>;
  bodies: readonly Buffer[];
  connections: number;
}

/** Sends requests until it is stopped. That rejects when any answer was not a 2xx. */
function startHttpLoad(
  { url, headers, bodies, connections }: HttpLoad,
  onAnswer: (milliseconds: number) => void,
): () => Promise<void> {
  const instance = autocannon({
    url,
    method: "POST",
    headers,
    requests: bodies.map((body) => ({ body })),
    connections,
    duration: 3600,
    sampleInt: SAMPLE_MS,
  });
  instance.on("response", (_client, _status, _bytes, milliseconds) => onAnswer(milliseconds));
  return async () => {
    instance.stop();
    const { errors, timeouts, non2xx } = await instance;
    if (errors + timeouts + non2xx > 0)
      throw new Error(`${url}: ${errors} errors, ${non2xx} answers were not 2xx`);
  };
}

async function rowBodies(options: WorkloadOptions) {
  const { contentType, bodies } = await createWorkload(options);
  return { headers: { "content-type": contentType }, bodies };
}
