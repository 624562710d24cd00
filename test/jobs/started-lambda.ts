import { onTestFinished } from "vitest";
import { type Lambda, startLambda } from "../../cli/local/lambda.ts";
import type { SqsEvent } from "../../functions/platform/queue/sqs.ts";
import { lambdaDirectory } from "../harness/build.ts";
import { invokeWith, startEventSource, type EventSource } from "../../cli/local/event-source.ts";
import { startSqs } from "../../cli/local/sqs-server.ts";
import { startOverS3, type TargetOptions } from "../harness/targets.ts";

const JSON_TYPE = { "Content-Type": "application/json" };
export interface Job {
  id: string;
  status: string;
  version: string;
}

/**
 * The two functions of serverless.yml, one for requests and one for jobs, over an S3 and an SQS of their own. No job runs
 * before `work` is called.
 */
export async function startJobsOnLambda(
  options: TargetOptions & { visibilitySeconds?: number; jobsEnv?: Record<string, string> } = {},
) {
  // What a killed process has left comes again soon. `jobsEnv` is for the function of jobs only.
  const { visibilitySeconds = 2, jobsEnv = {} } = options;
  const sqs = await startSqs({ visibilitySeconds });
  let functions: Lambda[] = [];
  const target = await startOverS3(
    { ...options, env: { ...sqs.env, ...options.env } },
    async (env) => {
      const started = { directory: lambdaDirectory, handler: "index.handler", env, freeze: true };
      functions = await Promise.all([
        startLambda(started),
        startLambda({ ...started, env: { ...env, ...jobsEnv }, timeoutMs: 120_000 }),
      ]);
      const [requests, jobs] = functions as [Lambda, Lambda];
      return {
        fetch: requests.fetch,
        logs: () => requests.logs + jobs.logs,
        stop: async () => void (await Promise.all(functions.map((one) => one.stop()))),
      };
    },
  );
  const sources: EventSource[] = [];
  onTestFinished(async () => {
    await Promise.all(sources.map((source) => source.stop()));
    await target.stop();
    await sqs.close();
  });

  const jobs = () => functions[1] as Lambda;
  const invoke = (event: SqsEvent) => invokeWith(jobs(), event);

  const ask = (path: string, init: RequestInit = {}) => target.fetch(path, init);
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    ask(path, {
      method: "POST",
      headers: { ...JSON_TYPE, ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  return {
    sqs,
    target,
    jobs,
    invoke,
    ask,
    post,
    later: (path: string, body: unknown, headers: Record<string, string> = {}) =>
      post(path, body, { Prefer: "respond-async", ...headers }),
    /** Has jobs run. `before` is called with each event, before the function gets it. */
    work: (before: (event: SqsEvent) => void = () => {}) => {
      const queues = [sqs.url("jobs"), sqs.url("dead-jobs")];
      sources.push(
        startEventSource({
          queues,
          async invoke(event) {
            const result = invoke(event);
            before(event);
            return result;
          },
        }),
      );
    },
    /** Waits until the job has ended. */
    ended: async (location: string, headers: Record<string, string> = {}): Promise<Job> => {
      for (;;) {
        const answer = await ask(location, { headers });
        const job = (await answer.json()) as Job;
        if (answer.status !== 200 || !["queued", "running"].includes(job.status)) return job;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    /** The keys of what is stored of jobs. */
    stored: async () => [...(await target.store.texts(".jobs/")).keys()],
  };
}

export const locationOf = (answer: Response) => answer.headers.get("location") ?? "";
