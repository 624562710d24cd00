import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { createAdmission } from "../../functions/load/admission.ts";
import { createDeadline } from "../../functions/load/deadline.ts";
import { createOverload } from "../../functions/load/overload.ts";
import { createPhases } from "../../functions/observe/phases.ts";
import { runAll } from "../../functions/run-all.ts";
import type { Session } from "../../functions/runtime/types.ts";

test("between the runs of a long request others have their turn", async () => {
  let time = 0;
  const now = () => time;
  const overload = createOverload(now, Infinity);
  const running = createAdmission({ now, overload, parallelism: 1, turnEventLoop: () => turn() });
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
  const runs = Array.from({ length: 4 }, () => ({ feeds: {} }));
  await runAll(session, { outputNames: [] }, runs, {
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
