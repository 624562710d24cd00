import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { jobEvents } from "../../functions/http/job-events.ts";
import type { Job } from "../../functions/jobs/job.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a job is not looked at any more when its client has left", async () => {
  const job = {
    id: "one",
    status: "queued",
    events: [{ status: "queued", at: 0 }],
  } as unknown as Job;
  const read = vi.fn(async () => job);
  const reader = jobEvents(job, read, { seen: 0 }).getReader();
  await reader.read();
  await vi.advanceTimersByTimeAsync(2000);
  const looks = read.mock.calls.length;
  expect(looks).toBeGreaterThan(0);
  await reader.cancel();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(read).toHaveBeenCalledTimes(looks);
});
