import type { Config } from "../config.ts";
import type { Store } from "../model/store.ts";
import { logLine } from "./log.ts";
import { createSqsQueue, type SqsEvent, type SqsResult } from "./queue/sqs.ts";
import type { Platform } from "./types.ts";

/** The part of Lambda's context that says how long the function may still run. */
interface RemainingTime {
  getRemainingTimeInMillis(): number;
}

/**
 * Runs the jobs of an event of SQS, and says which messages come again. Rejects where there is no queue, or no app of this
 * platform: then all of them come again.
 */
export type RunJobs = (event: SqsEvent, context?: RemainingTime) => Promise<SqsResult>;

/** Jobs and their queue, where there is one. They lie in the store of the models. Throws where nothing can be written. */
export function openJobs(
  config: Config,
  store: Store,
): Pick<Platform, "jobs"> & { runJobs: RunJobs } {
  const { jobsQueueUrl, jobTimeoutMs, storeTimeoutMs } = config;
  if (jobsQueueUrl === undefined)
    return { runJobs: () => Promise.reject(new Error("JOBS_QUEUE_URL is not set.")) };
  if (!config.store.startsWith("s3:"))
    throw new Error(`JOBS_QUEUE_URL: jobs lie in STORE, and nothing is written to ${config.store}`);
  const { handOut, ...queue } = createSqsQueue(jobsQueueUrl, logLine);
  const neededMs = jobTimeoutMs + storeTimeoutMs;
  return {
    jobs: { store, storeExpires: true, standsStill: true, ...queue },
    runJobs: (event, context) =>
      handOut(event, () => (context?.getRemainingTimeInMillis() ?? Infinity) > neededMs),
  };
}
