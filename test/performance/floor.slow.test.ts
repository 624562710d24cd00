import { Agent } from "node:http";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { cpuSeconds } from "../../bench/processes.ts";
import { START, startNodeServer, V8_FLAGS } from "../harness/node-server.ts";
import { inFlight, post } from "./post.ts";

/**
 * The processor time of an iris prediction to that of node:http with one run: 1.4 on a quiet machine, and 2.5 where three
 * times as many programs run as there are cores, since the others take its caches.
 */
const MOST = 3;
const ROUNDS = { least: 3, most: 8 };
const REQUESTS = 2500;
const CONNECTIONS = 32;
const FLOOR = join(import.meta.dirname, "../../bench/bare/server.ts");
const BODY =
  '{"inputs":{"sepal_length":5.1,"sepal_width":3.5,"petal_length":1.4,"petal_width":0.2}}';

// Both answer in turn, so that noise meets both. Only Linux tells of other processes' time here.
test.skipIf(process.platform !== "linux")(
  "a prediction takes few times the processor time of the least server that runs it",
  async () => {
    const service = await start(START.at(-1) as string, "/v1/models/iris/predict");
    const floor = await start(FLOOR, "/");
    // Other work on the machine only adds to the time: the best rounds have the least of it.
    let [own, least] = [Infinity, Infinity];
    for (let round = 1; round <= ROUNDS.most; round++) {
      own = Math.min(own, await service());
      least = Math.min(least, await floor());
      if (round >= ROUNDS.least && own / least <= MOST) break;
    }
    expect(own / least).toBeLessThanOrEqual(MOST);
  },
);

/** Starts a server and warms it. The function answers the seconds of processor time that it takes for the requests. */
async function start(entry: string, path: string): Promise<() => Promise<number>> {
  const server = await startNodeServer({
    entry,
    nodeFlags: V8_FLAGS,
    env: { ACCESS_LOG: "false", MAX_QUEUE_MS: "60000" },
  });
  onTestFinished(async () => void (await server.stop()));
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  onTestFinished(() => agent.destroy());
  async function ask(requests: number): Promise<number> {
    const before = cpuSeconds([server.pid]);
    await inFlight(CONNECTIONS, requests, () => post(agent, server.url + path, BODY));
    return cpuSeconds([server.pid]) - before;
  }
  await ask(2 * REQUESTS);
  return () => ask(REQUESTS);
}
