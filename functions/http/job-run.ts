import type { Caller } from "../auth/caller.ts";
import type { CallRecord, Decided } from "../call.ts";
import { callerOf, type JobAnswer } from "../jobs/job.ts";
import type { Perform } from "../jobs/jobs.ts";
import { waitForQuiet } from "../jobs/wait-for-quiet.ts";
import type { Service } from "../service.ts";

/** What a request is told that runs a job. */
export interface JobRun {
  caller: Caller;
  /** The key of the rate that the job's units are taken from. */
  rateKey: string | undefined;
  /** The unit of the request itself is still to be taken. */
  isUnpaid: boolean;
  decided: Decided;
  /** The request that this one answers in another way, whose place and line in the log it shares. Absent for a job. */
  partOf?: { record?: CallRecord | undefined };
}

/** The bindings of a job's request have it. No client can set bindings. */
const RUN = Symbol("job");

interface Bindings {
  [RUN]?: JobRun;
}

/** The job that a request runs. Undefined for a client's request. */
export function jobOf(bindings: unknown): JobRun | undefined {
  return (bindings as Bindings | undefined)?.[RUN];
}

/** The bindings of a request that runs a job, or that is answered a second time. */
export function asJob(run: JobRun): object {
  return { [RUN]: run } satisfies Bindings;
}

/** Header fields of one moment or one connection, and those that each answer has. */
const NOT_KEPT =
  /^(ratelimit.*|date|connection|content-length|server-timing|cache-control|content-security-policy|strict-transport-security|x-content-type-options|x-deployment-id)$/;

/** What answers requests, by its bindings. */
export interface App {
  fetch(request: Request, bindings: object): Response | Promise<Response>;
}

/**
 * Runs jobs through the app, as the client's own request would have run, each in a turn of the event loop of its own: many
 * refused rows of a batch wait for nothing. Requests go first: several jobs may have been read while none waited.
 */
export function createPerform(
  app: App,
  { platform, turns }: Pick<Service, "platform" | "turns">,
): Perform {
  return async function perform(job, body) {
    await platform.turnEventLoop?.();
    await waitForQuiet(turns);
    const { path, headers } = job.request;
    const request = new Request(`http://job.internal${path}`, {
      method: "POST",
      headers: { ...headers, "content-length": String(body.byteLength) },
      body,
    });
    const answered = await app.fetch(request, asJob(runOf(job)));
    return answerOf(answered);
  };
}

function runOf({ caller, model, assignment, request }: Parameters<Perform>[0]): JobRun {
  return {
    caller: callerOf(caller),
    rateKey: request.rateKey,
    isUnpaid: request.isUnpaid ?? false,
    decided: { model, assignment },
  };
}

async function answerOf(answered: Response): Promise<JobAnswer> {
  const kept = [...answered.headers].filter(([name]) => !NOT_KEPT.test(name));
  return {
    status: answered.status,
    headers: Object.fromEntries(kept),
    body: new Uint8Array(await answered.arrayBuffer()),
  };
}
