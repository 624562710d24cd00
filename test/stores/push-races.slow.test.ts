import { afterAll, beforeAll, describe } from "vitest";
import type { Store } from "../../functions/model/store.ts";
import { pushRaces, pushRacesInFolderAndS3 } from "./push-races.ts";
import { startR2Store } from "./r2-store.ts";

const TRIES = 40;

pushRacesInFolderAndS3(TRIES);

describe("in R2", () => {
  let r2: { store: Store; stop: () => Promise<void> };
  beforeAll(async () => {
    r2 = await startR2Store("prefix/");
  });
  afterAll(() => r2.stop());
  pushRaces(() => r2.store, TRIES);
});
