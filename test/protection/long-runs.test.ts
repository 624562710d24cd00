import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { createAdmission } from "../../functions/load/admission.ts";
import { createDeadline } from "../../functions/load/deadline.ts";
import { createGoingOn } from "../../functions/load/going-on.ts";
import { createOverload } from "../../functions/load/overload.ts";
import { createPhases } from "../../functions/observe/phases.ts";
import { runAll } from "../../functions/run-all.ts";
import type { Session } from "../../functions/runtime/types.ts";

const turnEventLoop = () => turn();

/** A run of four steps, and four runs. */
const LONG = [
  [
    "steps",
    1,
    {
      *steps() {
        for (let step = 0; step < 4; step++) yield {};
        return {};
      },
    },
  ],
  ["runs", 4, {}],
] as const;

test.each(LONG)("between the %s of a long request others have their turn", async (...given) => {
  const [, count, task] = given;
  let time = 0;
  const now = () => time;
  const overload = createOverload(now, Infinity);
  const goingOn = createGoingOn({ now, turnEventLoop, isWaited: () => running.isWaited() });
  const running = createAdmission({ now, overload, parallelism: 1, turnEventLoop, goingOn });
  const deadline = createDeadline(60_000, () => false);
  const ran: string[] = [];
  let short: Promise<void> | undefined;
  const session = {
    async run() {
      time += 10;
      ran.push("long");
      short ??= askShort();
      return {};
    },
  } as unknown as Session;
  async function askShort(): Promise<void> {
    await running.enter(deadline);
    ran.push("short");
    await running.leave();
  }

  await running.enter(deadline);
  const runs = Array.from({ length: count }, () => ({ feeds: {} }));
  await runAll(session, { outputNames: [], ...task }, runs, {
    deadline,
    phases: createPhases(now),
    owner: "",
    pause: running.pause,
    answerBytes: Infinity,
    take: () => undefined,
  });
  await running.leave();
  await short;
  expect(ran).toEqual(["long", "short", "long", "long", "long"]);
});

test.each(LONG)("between the %s of a long request its deadline is seen", async (...given) => {
  const [, count, task] = given;
  const deadline = createDeadline(60_000, () => false);
  let ran = 0;
  const session = {
    async run() {
      if (++ran === 2) deadline.shorten(-1);
      return {};
    },
  } as unknown as Session;
  const runs = Array.from({ length: count }, () => ({ feeds: {} }));
  const asked = runAll(session, { outputNames: [], ...task }, runs, {
    deadline,
    phases: createPhases(undefined),
    owner: "",
    answerBytes: Infinity,
    take: () => undefined,
  });
  await expect(asked).rejects.toMatchObject({ code: "deadline_exceeded" });
  expect(ran).toBe(2);
});
