import type { RegistryFor } from "./auth/access.ts";
import type { Sessions } from "./model/sessions.ts";
import type { Platform } from "./platform/types.ts";
import type { Infer, Predict } from "./predict.ts";
import type { Statistics } from "./observe/statistics.ts";
import type { CheckReady } from "./model/ready.ts";

/** What routes are made of. */
export interface Services {
  platform: Platform;
  /** The way to models. */
  registryFor: RegistryFor;
  sessions: Sessions;
  statistics: Statistics;
  checkReady: CheckReady;
  predict: Predict;
  infer: Infer;
}
