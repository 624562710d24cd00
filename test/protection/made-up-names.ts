import { afterEach, expect, test } from "vitest";
import type { StartTarget, Target } from "../harness/targets.ts";

/** How many requests to the store made-up names cost. */
export function madeUpNames(start: StartTarget): void {
  let target: Target;
  afterEach(() => target?.stop());

  test("a name that is asked for again and again is read once, and never listed", async () => {
    target = await start();
    for (let times = 0; times < 8; times++)
      for (const path of ["/v1/models/nobody", "/v2/models/nobody", "/v1/models/iris/versions/99"])
        expect((await target.fetch(path)).status).toBe(404);
    expect(target.store.gets().toSorted()).toEqual([
      "iris/99/model.json",
      "iris/release.json",
      "nobody/release.json",
    ]);
    expect(target.store.lists()).toBe(0);
  });
}
