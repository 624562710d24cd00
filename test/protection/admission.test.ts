import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { createAdmission } from "../../functions/load/admission.ts";
import { createOverload } from "../../functions/load/overload.ts";

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

test("requests that have just come go before those whose work goes on, but for one turn in four", async () => {
  let time = 0;
  const admission = begin(() => time);
  const turns: string[] = [];
  /** Takes the processor for its parts of 10 ms each. */
  const work = async (name: string, parts: number): Promise<void> => {
    await admission.enter(PATIENT);
    for (let left = parts; left > 0; left--) {
      turns.push(name);
      time += 10;
      if (left > 1) await admission.pause();
    }
    await admission.leave();
  };
  const long = ["x", "y"].map((name) => work(name, 4));
  await turn();
  const short = ["a", "b", "c", "d", "e", "f"].map((name) => work(name, 1));
  await Promise.all([...long, ...short]);
  const order = turns.join("");
  // Whatever began before, the six need at most two parts of others between them.
  const between = order.slice(order.indexOf("a"), order.indexOf("f")).replaceAll(/[a-f]/g, "");
  expect(order.replaceAll(/[xy]/g, "")).toBe("abcdef");
  expect(between.length, order).toBeLessThanOrEqual(2);
  expect(order).toHaveLength(14);
});
