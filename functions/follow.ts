import type { ModelVersion } from "./model/registry.ts";
import type { Seen } from "./tasks/define.ts";

/** Which request it was, and whose. */
export interface Asked {
  id: string;
  caller: string;
}

/** What is done with predictions beside answering them, such as counting them for drift. */
export interface Follower {
  /** Whether it follows predictions of the version. Asked for each call. */
  wants: (version: ModelVersion) => boolean;
  /** Gets a prediction once its answer is made. Returns at once, and never throws. */
  follow: (version: ModelVersion, asked: Asked, seen: Seen) => void;
}
