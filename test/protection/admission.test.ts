import { setImmediate as turn } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { createAdmission } from "../../functions/load/admission.ts";
import { createGoingOn } from "../../functions/load/going-on.ts";
import { createOverload } from "../../functions/load/overload.ts";
import { createTurns } from "../../functions/load/turns.ts";

const begin = (now: () => number) =>
  createAdmission({
    now,
    overload: createOverload(now, Infinity),
    parallelism: 1,
    turnEventLoop: () => turn(),
  });
const PATIENT = { check: () => undefined };

/** Begins three runs at once, after one that tells how long they take. Tells which of them had ended when each was answered. */
async function answeredAfter(runMs: number): Promise<string[]> {
  let time = 0;
  const admission = begin(() => time);
  const ended: string[] = [];
  const run = async (name: string): Promise<string> => {
    await admission.enter(PATIENT);
    await turn();
    time += runMs;
    ended.push(name);
    await admission.leave();
    return `${name} after ${ended.join("")}`;
  };
  await run("first");
  ended.length = 0;
  return Promise.all(["a", "b", "c"].map(run));
}

test("short runs of one turn of the event loop are answered when the last of them is over", async () => {
  expect(await answeredAfter(0.1)).toEqual(["a after abc", "b after abc", "c after abc"]);
});

test("a run that is not short is answered at once", async () => {
  expect(await answeredAfter(2)).toEqual(["a after a", "b after ab", "c after abc"]);
});

test("a short run is not kept for one of a later turn", async () => {
  let time = 0;
  const admission = begin(() => time);
  void admission.enter(PATIENT);
  time += 0.1;
  void admission.leave();
  void admission.enter(PATIENT);
  void admission.enter(PATIENT);
  const answers = admission.leave();
  expect(answers).toBeInstanceOf(Promise);
  await answers;
});

/** Three lines as `createTurns` makes them, on a clock of the test. */
function beginLines() {
  let time = 0;
  const now = () => time;
  let turnsOfLoop = 0;
  let counter = setImmediate(function count() {
    turnsOfLoop += 1;
    counter = setImmediate(count);
  });
  onTestFinished(() => clearImmediate(counter));
  const turns = createTurns({
    now,
    turnEventLoop: () => turn(),
    maxConcurrency: 512,
    maxQueueMs: Infinity,
    workers: 0,
    dynamicBatching: new Map(),
  });
  const done: string[] = [];
  const loopTurns: number[] = [];
  /** A part of 10 ms. */
  const part = (name: string): void => {
    time += 10;
    done.push(name);
    loopTurns.push(turnsOfLoop);
  };
  return { turns, done, loopTurns, part };
}

type Lines = ReturnType<typeof beginLines>;

/** Does its parts in a line. */
async function work(lines: Lines, line: "preparing" | "running", name: string, parts: number) {
  const admission = lines.turns[line];
  await admission.enter(PATIENT);
  for (let made = 1; made <= parts; made++) {
    lines.part(name);
    if (made < parts) await admission.pause(made);
  }
  await admission.leave();
}

async function answer(lines: Lines, name: string, parts: number) {
  for (let made = 1; made <= parts; made++) {
    lines.part(name);
    if (made < parts) await lines.turns.transfer?.pause(made);
  }
}

test.each(["preparing", "running"] as const)(
  "whoever is %s and has just come goes before work of any line that goes on, but for a quarter of the time",
  async (line) => {
    const lines = beginLines();
    const long = [
      work(lines, "preparing", "x", 8),
      work(lines, "running", "y", 8),
      answer(lines, "z", 8),
    ];
    await turn();
    const short = ["a", "b", "c", "d", "e", "f"].map((name) => work(lines, line, name, 1));
    await Promise.all([...long, ...short]);
    const order = lines.done.join("");
    const between = order.slice(order.indexOf("a"), order.indexOf("f")).replaceAll(/[a-f]/g, "");
    expect(order.replaceAll(/[xyz]/g, "")).toBe("abcdef");
    expect(between.length, order).toBeLessThanOrEqual(2);
    expect(between.length, order).toBeGreaterThan(0);
    expect(order).toHaveLength(30);
  },
);

test("however many requests come, a quarter of the time is for work that goes on", async () => {
  let time = 0;
  const goingOn = createGoingOn({
    now: () => time,
    turnEventLoop: () => turn().then(() => void (time += 1)),
    isWaited: () => true,
  });
  for (let done = 1; done <= 20; done++) {
    await goingOn.next(done);
    time += 10;
  }
  expect(time / 200).toBeGreaterThan(3.5);
  expect(time / 200).toBeLessThan(5);
});

test("a long part is paid for by those that go on, also one that began when nobody waited", async () => {
  let time = 0;
  let isWaited = false;
  const goingOn = createGoingOn({
    now: () => time,
    turnEventLoop: () => turn().then(() => void (time += 1)),
    isWaited: () => isWaited,
  });
  await goingOn.next(1);
  time += 10;
  await goingOn.next(2);
  time += 10;
  isWaited = true;
  const ended = time;
  await goingOn.next(3);
  expect(time - ended).toBeGreaterThanOrEqual(30);
});

test("what has done many parts has its turn among ever so many that have done few", async () => {
  const goingOn = createGoingOn({
    now: () => 0,
    turnEventLoop: () => turn(),
    isWaited: () => false,
  });
  let [most, few] = [1000, 0];
  const flood = async (): Promise<void> => {
    for (; few < most; few++) await goingOn.next(1);
  };
  const all = Promise.all([flood(), flood(), flood()]);
  for (let done = 50; done < 54; done++) await goingOn.next(done);
  most = 0;
  expect(few).toBeLessThan(100);
  await all;
});

test("of work of all lines that goes on, a turn of the event loop does one part", async () => {
  const lines = beginLines();
  await Promise.all([
    work(lines, "preparing", "w", 6),
    work(lines, "preparing", "x", 6),
    work(lines, "running", "y", 6),
    answer(lines, "z", 6),
  ]);
  // Those that have just come begin together, and the time of an answer counts from its first part on.
  const goingOn = lines.loopTurns.slice(5);
  expect(goingOn).toHaveLength(19);
  expect(new Set(goingOn).size).toBe(19);
});

test("what has done fewer parts goes on before what has done more", async () => {
  const lines = beginLines();
  const long = ["x", "y", "z"].map((name) => answer(lines, name, 12));
  while (lines.done.length < 18) await turn();
  const short = answer(lines, "a", 4);
  await Promise.all([...long, short]);
  const order = lines.done.join("");
  // At most the part before which it came is between its own.
  expect(order.indexOf("a", order.indexOf("aa") + 2) - order.indexOf("aa"), order).toBeLessThan(4);
  expect(order).toMatch(/a+[xyz]?a+[xyz]+$/);
});

test("work that goes on does not wait for those behind a turn that lasts long", async () => {
  const lines = beginLines();
  await lines.turns.running.enter(PATIENT);
  const behind = work(lines, "running", "b", 1);
  // Its own part takes 10 ms, so four of them show that nothing is kept for `b`.
  await answer(lines, "x", 5);
  expect(lines.done.join("")).toBe("xxxxx");
  void lines.turns.running.leave();
  await behind;
});
