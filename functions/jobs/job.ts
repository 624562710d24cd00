import { SCOPES, type Caller, type Scope } from "../auth/caller.ts";
import type { Rate } from "../limits/rate.ts";
import type { Assignment } from "../model/assignment.ts";
import { ENDS, type End, type Webhook } from "../webhooks/webhook.ts";

export type JobStatus = "queued" | "running" | End;

/** The request that the job answers. Its body is an object of its own. */
export interface JobRequest {
  /** The path below the mount point, with the query. */
  path: string;
  headers: Record<string, string>;
  /** The key of the rate that the request's unit was taken from. Absent where no rate holds. */
  rateKey?: string;
  /** The unit is still to be taken. */
  isUnpaid?: true;
}

/** An answer as a client would have had it. */
export interface JobAnswer {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array<ArrayBuffer>;
}

/** A caller as JSON. */
interface StoredCaller {
  name: string;
  scopes: Scope[];
  models?: string[];
  rate?: Rate;
}

/** A call that is answered later, as it lies in the store. Times are milliseconds since 1970. */
export interface Job {
  id: string;
  /** Another one for a job that is made with the id of one that was removed. */
  generation: string;
  caller: StoredCaller;
  model: string;
  version: string;
  /** SHA-256 of the version's artifact. */
  digest: string;
  /** Why it is this version. It was decided when the job was made. */
  assignment: Assignment;
  request: JobRequest;
  /** The digest of the request. The same id with another one is refused. */
  fingerprint: string;
  /** The object with the request's body. */
  input: string;
  status: JobStatus;
  /** Each status that it had, and since when. */
  events: { status: JobStatus; at: number }[];
  /** Another request for the same job was answered, which has sent a message too. */
  isSentAgain?: true;
  /** It is being removed, so nothing may take its place. */
  isLeaving?: true;
  /** From then on nobody sees it any more, or it has not run in time. */
  expiresAt: number;
  /** Who is told of its end. */
  webhook?: Webhook;
  answer?: { object: string; status: number; headers: Record<string, string> };
}

/** The statuses that a job ends with. */
const FINAL: ReadonlySet<JobStatus> = new Set(ENDS);

export function isFinal({ status }: Pick<Job, "status">): boolean {
  return FINAL.has(status);
}

/** Whether its time is over. Such a job need not be removed yet. */
export function isOver({ expiresAt }: Pick<Job, "expiresAt">): boolean {
  return expiresAt <= Date.now();
}

/** The job in another status. */
export function moved(job: Job, status: JobStatus, change: Partial<Job> = {}): Job {
  return { ...job, ...change, status, events: [...job.events, { status, at: Date.now() }] };
}

export function storedCaller({ name, scopes, models, rate }: Caller): StoredCaller {
  return {
    name,
    scopes: SCOPES.filter((scope) => scopes.has(scope)),
    ...(models && { models: [...models] }),
    ...(rate && { rate }),
  };
}

export function callerOf({ name, scopes, models, rate }: StoredCaller): Caller {
  return {
    name,
    scopes: new Set(scopes),
    ...(models && { models: new Set(models) }),
    ...(rate && { rate }),
  };
}
