import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { EventStreams, jobEvents } from "../../functions/http/job-events.ts";
import type { Job } from "../../functions/jobs/job.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const job = {
  id: "one",
  status: "queued",
  events: [{ status: "queued", at: 0 }],
} as unknown as Job;

test("a job is not looked at any more when its client has left", async () => {
  const read = vi.fn(async () => job);
  const reader = jobEvents(job, read, { streams: new EventStreams(), seen: 0 }).getReader();
  await reader.read();
  await vi.advanceTimersByTimeAsync(2000);
  const looks = read.mock.calls.length;
  expect(looks).toBeGreaterThan(0);
  await reader.cancel();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(read).toHaveBeenCalledTimes(looks);
});

test("of more streams than a thousand the oldest end, and those that ended make room", async () => {
  const read = vi.fn(async () => job);
  const streams = new EventStreams();
  const open = () => jobEvents(job, read, { streams, seen: 1 }).getReader();
  const readers = Array.from({ length: 1002 }, open);
  const over = new Set<number>();
  for (const [at, reader] of readers.entries()) void reader.closed.then(() => over.add(at));
  await vi.advanceTimersByTimeAsync(2000);
  expect([...over]).toEqual([0, 1]);
  for (const reader of readers.slice(2, 12)) await reader.cancel();
  readers.push(...Array.from({ length: 10 }, open));
  over.clear();
  await vi.advanceTimersByTimeAsync(2000);
  expect([...over]).toEqual([]);
});
