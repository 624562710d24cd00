import type { R2Bucket } from "@cloudflare/workers-types";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createR2Store } from "../../functions/platform/store/r2.ts";

describe("R2, which takes one write of an object a second", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("gets a write again that came too soon", async () => {
    const { put, writes } = bucketThatRefuses(2);
    const written = put();
    await vi.advanceTimersByTimeAsync(900);
    expect(writes()).toBe(1);
    await vi.advanceTimersByTimeAsync(4000);
    expect(await written).toBe("new");
    expect(writes()).toBe(3);
  });

  test("is not asked for ever", async () => {
    const { put, writes } = bucketThatRefuses(Infinity);
    const written = expect(put()).rejects.toThrow("10058");
    await vi.advanceTimersByTimeAsync(60_000);
    await written;
    expect(writes()).toBe(4);
  });
});

function bucketThatRefuses(times: number) {
  let writes = 0;
  const put = async () => {
    writes++;
    if (writes <= times)
      throw new Error("put: Reduce your concurrent request rate for the same object. (10058)");
    return { etag: "new" };
  };
  const store = createR2Store({ put } as unknown as R2Bucket, "");
  return { put: () => store.put("key", new Uint8Array()), writes: () => writes };
}
