import { expect, onTestFinished, test, vi } from "vitest";
import type { JobAnswer, JobStatus } from "../../functions/jobs/job.ts";
import type { Perform } from "../../functions/jobs/jobs.ts";
import type { Queue } from "../../functions/jobs/queue.ts";
import { jobsOver } from "./jobs-over.ts";

/** The test hands out the messages. */
const queue: Queue = { send: async (_key, write) => write() };

const caller = { name: "somebody", scopes: new Set<never>() };

const answered = (status: number, body = ""): JobAnswer => ({
  status,
  headers: {},
  body: new TextEncoder().encode(body),
});
const echo: Perform = async (_job, body) => ({ ...answered(200), body });

test.each([
  ["before anything", 0],
  ["before the answer", 1],
  ["between the answer and the job", 2],
])("a store that goes down %s: the job waits, and has one answer", async (_, writes) => {
  const { jobs, make, messageOf, endOf, read, remove, objects, failing, told } =
    await jobsOver(queue);
  await make("one");
  const key = await messageOf("one");
  let left = writes;
  failing.beforePut = () => {
    if (left-- <= 0) throw new Error("no space is left");
  };
  expect(await jobs.run(key, 1, echo)).toEqual({ retryAfterSeconds: 5 });
  expect(await jobs.run(key, 1, echo)).toEqual({ retryAfterSeconds: 5 });
  expect((await read("one")).status).toMatch(/^(queued|running)$/);
  await expect(jobs.answer(caller, "one")).rejects.toMatchObject({
    code: "conflict",
  });
  delete failing.beforePut;
  await jobs.run(key, 1, echo);
  const { events, text } = await endOf("one");
  expect(events.filter(({ status }) => status === "succeeded")).toHaveLength(1);
  expect(text).toBe('{"inputs":[1,2,3,4]}');
  expect(told()).toEqual(["queued", "succeeded"]);
  await remove("one");
  expect(await objects()).toEqual([]);
});

test.each([0, 1, 2, 3])(
  "a job that is cancelled just before the write %i of its run ends once",
  async (writes) => {
    const { jobs, make, messageOf, read, remove, objects, failing, told } = await jobsOver(queue);
    await make("one");
    const key = await messageOf("one");
    let left = writes;
    failing.beforePut = async () => {
      if (left-- === 0) await jobs.cancel(caller, "one");
    };
    await jobs.run(key, 1, echo);
    delete failing.beforePut;
    // With three writes the run has ended by then.
    const { status } = await jobs.cancel(caller, "one");
    expect(status).toBe(writes < 3 ? "canceled" : "succeeded");
    await jobs.run(key, 2, () => expect.unreachable("It runs again."));
    expect((await read("one")).events.map((event) => event.status).slice(1)).toEqual(
      writes === 0 ? ["canceled"] : ["running", status],
    );
    expect(told()).toEqual(["queued", status]);
    expect(await objects()).toHaveLength(writes < 3 ? 1 : 2);
    await remove("one");
    expect(await objects()).toEqual([]);
  },
);

const ENDS: [JobStatus, Perform | undefined][] = [
  ["succeeded", echo],
  ["failed", async () => answered(422, "{}")],
  ["expired", undefined],
];

test.each(ENDS)("a job that is %s stays so when it is cancelled", async (status, perform) => {
  const { jobs, make, messageOf, read } = await jobsOver(queue);
  await make("one");
  if (perform) await jobs.run(await messageOf("one"), 1, perform);
  else vi.setSystemTime(Date.now() + 86_400_000);
  onTestFinished(() => void vi.useRealTimers());
  const ended = await read("one");
  expect(ended.status).toBe(status);
  expect(await jobs.cancel(caller, "one")).toEqual(ended);
  expect(await read("one")).toEqual(ended);
});

test("a queue that fails the first request for a job, and not its repetition, keeps the job", async () => {
  const refusals: ((error: Error) => void)[] = [];
  const { jobs, make, messageOf, endOf, read, objects } = await jobsOver({
    async send(_key, write) {
      await write();
      const isFirst = refusals.length % 2 === 0;
      await new Promise<void>((resolve, reject) => {
        refusals.push(reject);
        if (!isFirst) resolve();
      });
    },
  });
  const first = make("one");
  await vi.waitFor(() => expect(refusals).toHaveLength(1), 30_000);
  await make("one");
  refusals[0]?.(new Error("no answer"));
  await expect(first).rejects.toMatchObject({ code: "overloaded" });
  expect((await read("one")).status).toBe("queued");
  await jobs.run(await messageOf("one"), 1, echo);
  expect((await endOf("one")).status).toBe("succeeded");

  // Without a repetition nothing is left of it.
  const before = await objects();
  const other = make("two");
  await vi.waitFor(() => expect(refusals).toHaveLength(3), 30_000);
  refusals[2]?.(new Error("no answer"));
  await expect(other).rejects.toMatchObject({ code: "overloaded" });
  expect(await objects()).toEqual(before);
});

test("a job whose request is gone ends as failed, and says so", async () => {
  const { jobs, make, messageOf, endOf, read, forget } = await jobsOver(queue);
  await make("one");
  await forget((await read("one")).input);
  await jobs.run(await messageOf("one"), 1, echo);
  const { status, text } = await endOf("one");
  expect([status, text]).toEqual(["failed", expect.stringContaining("The job's request is gone")]);
});
