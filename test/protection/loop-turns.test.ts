import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { setImmediate as turnEventLoop } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { createGoingOn } from "../../functions/load/going-on.ts";
import { createOverload } from "../../functions/load/overload.ts";
import { createTransferTurns } from "../../functions/load/transfer-turns.ts";
import { inTurn } from "../../functions/platform/in-turn.ts";
import { createPace } from "../../functions/platform/pace.ts";

const now = () => performance.now();

/** Counts the turns of the event loop until the test ends. */
function countTurns(): () => number {
  let turns = 0;
  let counter = setImmediate(function count() {
    turns += 1;
    counter = setImmediate(count);
  });
  onTestFinished(() => clearImmediate(counter));
  return () => turns;
}

function startTransfer(maxQueueMs: number) {
  const overload = createOverload(now, maxQueueMs);
  const goingOn = createGoingOn({
    now,
    turnEventLoop: () => turnEventLoop(),
    isWaited: () => transfer.isWaited(),
  });
  const transfer = createTransferTurns({
    now,
    overload,
    turnEventLoop: () => turnEventLoop(),
    goingOn,
  });
  return transfer;
}

/** Blocks the process. */
function compute(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

test("requests that wait on many connections are started for some milliseconds of a turn", async () => {
  const turns = countTurns();
  const startedIn = new Map<number, number>();
  let answered = 0;
  const server = createServer(
    inTurn((_request, response) => {
      startedIn.set(turns(), (startedIn.get(turns()) ?? 0) + 1);
      compute(6);
      response.end();
      answered += 1;
    }),
  ).listen(0, "127.0.0.1");
  onTestFinished(() => server.closeAllConnections());
  await once(server, "listening");
  const [connections, each] = [10, 10];
  for (let opened = 0; opened < connections; opened++) {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.resume().write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(each));
  }
  await expect.poll(() => answered, { timeout: 5000 }).toBe(connections * each);
  // The first of each connection starts when it comes.
  const together = [...startedIn.values()].filter((count) => count > 1);
  expect(together.length).toBeLessThanOrEqual(connections);
  expect(startedIn.size).toBeGreaterThan(connections * (each - 2));
});

test("of tasks of many connections a turn does some milliseconds, in the order in which they came", async () => {
  const turns = countTurns();
  const pace = createPace();
  const done: { task: number; turn: number }[] = [];
  for (let task = 0; task < 20; task++)
    pace.add(() => {
      compute(6);
      done.push({ task, turn: turns() });
    });
  await expect.poll(() => done.length, { timeout: 5000 }).toBe(20);
  expect(done.map(({ task }) => task)).toEqual(Array.from({ length: 20 }, (_, task) => task));
  expect(new Set(done.map(({ turn }) => turn)).size).toBe(20);
});

test("bodies that are costly to read have turns of the event loop, and others come between", async () => {
  const turns = countTurns();
  const transfer = startTransfer(60_000);
  const readAt: number[] = [];
  async function read(): Promise<void> {
    await transfer.read();
    readAt.push(turns());
    compute(20);
  }
  // They teach it what a body costs.
  for (let body = 0; body < 10; body++) await read();
  readAt.length = 0;
  await Promise.all(Array.from({ length: 20 }, read));
  expect(new Set(readAt).size).toBe(20);
});

test("what costs little is read in the same turn", async () => {
  const turns = countTurns();
  const transfer = startTransfer(60_000);
  for (let body = 0; body < 200; body++) await Promise.all([transfer.read(), turnEventLoop()]);
  const before = turns();
  await Promise.all(Array.from({ length: 8 }, async () => transfer.read()));
  expect(turns() - before).toBeLessThan(3);
});

test("a body that would wait too long is refused, and a begun answer goes on", async () => {
  const transfer = startTransfer(100);
  async function read(): Promise<void> {
    await transfer.read();
    compute(30);
  }
  for (let body = 0; body < 10; body++) await read();
  const reads = await Promise.allSettled(Array.from({ length: 30 }, read));
  const refused = reads.filter(({ status }) => status === "rejected");
  expect(refused.length).toBeGreaterThan(5);
  expect(refused[0]).toMatchObject({ reason: { code: "overloaded" } });
  const burst = Array.from({ length: 30 }, async () => {
    await transfer.goOn();
    compute(10);
  });
  expect((await Promise.allSettled(burst)).every(({ status }) => status === "fulfilled")).toBe(
    true,
  );
});
