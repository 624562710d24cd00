import { Agent } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { manyModels } from "../harness/many-models.ts";
import { START, startNodeServer, V8_FLAGS } from "../harness/node-server.ts";
import { inFlight, post } from "./post.ts";

const CONNECTIONS = 32;
const BODY = '{"inputs":[5.1,3.5,1.4,0.2]}';
const REQUESTS = 1500;
const COLLECTION = /\bgc=s .*\bpromoted=(\d+)/g;
/** A request makes about 8 kB of objects. They moved nearly all, and since then 50 bytes. */
const MOST_BYTES = 1000;

// What is moved to V8's old objects is collected only with all of them, which takes milliseconds each time.
test.each([{}, { WORKERS: "1" }])(
  "with %o, predictions after a list of many models leave nothing among V8's old objects",
  async (env) => {
    const store = await manyModels(300);
    onTestFinished(store.remove);
    const { server, predict } = await start({ ...env, STORE: store.folder });
    await Promise.all(Array.from({ length: CONNECTIONS }, predict));
    for (let lists = 0; lists < 3; lists++) await (await server.fetch("/v1/models")).text();
    // What the lists have left is moved while the first of these are answered.
    await inFlight(CONNECTIONS, REQUESTS, predict);

    const from = server.logs.length;
    await inFlight(CONNECTIONS, REQUESTS, predict);
    const moved = [...server.logs.slice(from).matchAll(COLLECTION)];
    const bytes = moved.reduce((sum, [, promoted]) => sum + Number(promoted), 0);
    expect(moved.length).toBeGreaterThan(3);
    expect(bytes / REQUESTS).toBeLessThan(MOST_BYTES);
  },
  60_000,
);

test("of the requests over one connection few meet a collection", async () => {
  const { server, predict } = await start({});
  await inFlight(CONNECTIONS, CONNECTIONS * 10, predict);
  // In this time V8 would have made the space of young objects small.
  await inFlight(1, REQUESTS, predict);
  const from = server.logs.length;
  await inFlight(1, REQUESTS, predict);
  const collections = server.logs.slice(from).match(COLLECTION) ?? [];
  expect(collections.length / REQUESTS).toBeLessThan(1 / 35);
});

/** The server that `npm start` starts, which tells of its garbage collections. */
async function start(env: Record<string, string>) {
  const server = await startNodeServer({
    entry: START.at(-1) as string,
    nodeFlags: [...V8_FLAGS, "--trace-gc", "--trace-gc-nvp"],
    env: { ...env, ACCESS_LOG: "false", MAX_QUEUE_MS: "60000" },
  });
  onTestFinished(async () => void (await server.stop()));
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  onTestFinished(() => agent.destroy());
  return { server, predict: () => post(agent, `${server.url}/v1/models/iris/predict`, BODY) };
}
