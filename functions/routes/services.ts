import type { RegistryFor } from "../access.ts";
import type { Sessions } from "../model/sessions.ts";
import type { Platform } from "../platform/types.ts";
import type { Infer, Predict } from "../predict.ts";
import type { Statistics } from "../statistics.ts";
import type { CheckReady } from "./health.ts";

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
