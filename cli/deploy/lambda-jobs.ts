import { VARIABLES } from "../../functions/config.ts";
import { JOB_TIMEOUT_MS } from "../../functions/platform/lambda.ts";
import type { Findings } from "./findings.ts";

/** The parts of serverless.yml, as osls reads it, that jobs depend on. */
export interface JobsService {
  provider: { environment?: Record<string, unknown> };
  functions?: Record<
    string,
    { timeout?: number; environment?: Record<string, unknown>; events?: readonly object[] }
  >;
  resources?: {
    Resources?: Record<string, Resource>;
    Parameters?: Record<string, { Default?: unknown }>;
  };
}

interface Resource {
  Type?: string;
  Properties?: {
    RedrivePolicy?: object;
    VisibilityTimeout?: number;
    LifecycleConfiguration?: { Rules?: { Prefix?: string; ExpirationInDays?: number }[] };
  };
}

/** Lambda hands a message out again while it could still be handled, if it comes sooner. AWS advises this factor. */
const VISIBILITY_FACTOR = 6;
/** For reading the request and writing the answer. */
const BESIDE_SECONDS = 10;
const DAY_SECONDS = 86_400;

/** Finds times of serverless.yml that do not fit each other, where a function of it runs jobs. */
export function checkJobs(service: JobsService, { problems }: Findings): void {
  const { provider, functions = {}, resources = {} } = service;
  const { jobs } = functions;
  const environment = { ...provider.environment, ...jobs?.environment };
  if (!jobs?.timeout || !environment["JOBS_QUEUE_URL"]) return;
  const { Jobs, Models } = resources.Resources ?? {};
  const runSeconds = Number(environment["JOB_TIMEOUT_MS"] || JOB_TIMEOUT_MS) / 1000;
  if (jobs.timeout < runSeconds + BESIDE_SECONDS)
    problems.push({
      what: `A job may run for ${runSeconds} seconds, and Lambda ends its function after ${jobs.timeout}: it would run again and again.`,
      fix: `Write timeout: ${Math.ceil(runSeconds + 2 * BESIDE_SECONDS)} for the function jobs, or set a shorter JOB_TIMEOUT_MS.`,
    });
  const visible = Jobs?.Properties?.VisibilityTimeout;
  const least = VISIBILITY_FACTOR * jobs.timeout;
  if (visible !== undefined && visible < least)
    problems.push({
      what: `VisibilityTimeout of the queue Jobs is ${visible} seconds: a job would be handed out again while it runs.`,
      fix: `Write VisibilityTimeout: ${least}, six times the function's timeout.`,
    });
  const kept = Number(environment["JOB_RESULT_TTL"] || usualKeptSeconds());
  const rules = Models?.Properties?.LifecycleConfiguration?.Rules ?? [];
  const days = rules.find(({ Prefix }) => Prefix === ".jobs/")?.ExpirationInDays;
  if (days !== undefined && days * DAY_SECONDS <= kept)
    problems.push({
      what: `The bucket removes what is below .jobs/ after ${days} days, and JOB_RESULT_TTL is ${kept} seconds.`,
      fix: `Write ExpirationInDays: ${Math.floor(kept / DAY_SECONDS) + 1} for that rule, or set a shorter JOB_RESULT_TTL.`,
    });
}

function usualKeptSeconds(): number {
  return VARIABLES.JOB_RESULT_TTL.schema.parse(undefined);
}
