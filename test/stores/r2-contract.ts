import { afterAll, beforeAll, test } from "vitest";
import type { Store } from "../../functions/model/store.ts";
import { storeContract } from "../../functions/testing.ts";
import { startR2Store } from "./r2-store.ts";

/** Checks that R2 keeps the contract of stores. */
export function r2Contract(prefix: string): void {
  let r2: { store: Store; stop: () => Promise<void> };
  beforeAll(async () => {
    r2 = await startR2Store(prefix);
  });
  afterAll(() => r2.stop());
  for (const { name, run } of storeContract(() => r2.store)) test(name, run, 300_000);
}
