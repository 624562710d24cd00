import type { Registry } from "../model/registry.ts";
import type { Sessions } from "../model/sessions.ts";
import type { Platform } from "../platform/types.ts";
import type { Infer, Predict } from "../predict.ts";
import type { Statistics } from "../statistics.ts";

/** What routes are made of. */
export interface Services {
  platform: Platform;
  registry: Registry;
  sessions: Sessions;
  statistics: Statistics;
  predict: Predict;
  infer: Infer;
}
