import { segment } from "./address.ts";
import { NearcastClientError, retryAfterSeconds } from "./error.ts";
import { readEvents } from "./events.ts";
import type { CallOptions, ClientOptions, SubmitOptions } from "./options.ts";
import { predictionOf, PREDICTION_MEMBERS } from "./prediction.ts";
import {
  beginCall,
  open,
  reaching,
  request,
  retryWait,
  tell,
  within,
  type Call,
} from "./request.ts";
import type { Job, JobEvent, JobStatus, ModelsOf, Prediction } from "./types.ts";

/** Calls that are answered later. Each takes a job's id, or the job itself. */
export interface Jobs<Models extends ModelsOf<Models>> {
  /**
   * Makes a job of a prediction. It is sent again where no answer came: the id makes it once.
   *
   * @example
   * const job = await client.jobs.submit("iris", flowers, { id: "order-4711" });
   * for await (const { status } of client.jobs.events(job)) show(status);
   * const { outputs } = await client.jobs.wait(job);
   */
  submit: Submit<Models>;
  /** The job as it is now. */
  get: <Output = unknown>(job: JobOf<Output>, options?: CallOptions) => Promise<Job<Output>>;
  /**
   * Asks until the job has ended, as often as the service says, and gives its answer. Rejects with the error that the
   * prediction ended with, and with `conflict` for a job that was canceled or has expired.
   */
  wait: <Output = unknown>(
    job: JobOf<Output>,
    options?: CallOptions,
  ) => Promise<Prediction<Output>>;
  /**
   * Each status that the job gets, and those that it had. Ends with the last one. It comes again after a lost
   * connection, and misses none.
   */
  events: (job: JobOf<unknown>, options?: CallOptions) => AsyncGenerator<JobEvent, void, undefined>;
  /** Ends the job without an answer. One that has ended stays as it is. */
  cancel: <Output = unknown>(job: JobOf<Output>, options?: CallOptions) => Promise<Job<Output>>;
  /** Ends the job, and removes all that the service stored of it. */
  remove: <Output = unknown>(job: JobOf<Output>, options?: CallOptions) => Promise<Job<Output>>;
}

export type JobOf<Output> = string | Job<Output>;

export interface Submit<Models extends ModelsOf<Models>> {
  <Name extends keyof Models & string>(
    model: Name,
    input: Models[Name]["input"],
    options?: SubmitOptions<Models[Name]["parameters"]>,
  ): Promise<Job<Models[Name]["output"]>>;
  <Name extends keyof Models & string>(
    model: Name,
    inputs: readonly Models[Name]["input"][],
    options?: SubmitOptions<Models[Name]["parameters"]>,
  ): Promise<Job<Models[Name]["output"][]>>;
}

/** How long to wait where the service does not say. */
const POLL_SECONDS = 1;
/** After how long to come again when a stream has ended, where it does not say. */
const AGAIN_MS = 1000;
const FINAL = new Set<JobStatus>(["succeeded", "failed", "canceled", "expired"]);
const MEMBERS = ["id", "status"];

export function createJobs<Models extends ModelsOf<Models>>(
  client: ClientOptions,
  base: URL,
): Jobs<Models> {
  const addressOf = (job: JobOf<unknown>, rest = "") =>
    new URL(
      `v1/jobs/${segment(typeof job === "string" ? job : job.id, "a job's id")}${rest}`,
      base,
    );

  /** One request for a job that it answers with. */
  const job = (options: CallOptions | undefined, ...asked: [url: URL, how?: object]) =>
    within(client, options, async (call) => (await ask(call, ...asked)).job);

  async function submit(model: string, inputs: unknown, options: SubmitOptions<unknown> = {}) {
    const { id = randomId(), version, parameters, webhook } = options;
    const body = { model, version, inputs, parameters, webhook };
    return job(options, addressOf(id), { method: "PUT", body, isRepeatable: true });
  }

  async function* events(of: JobOf<unknown>, options?: CallOptions) {
    const url = addressOf(of, "/events");
    const call = beginCall(client, options);
    try {
      yield* following(call, url);
    } catch (error) {
      tell(client, error);
      throw error;
    } finally {
      call.deadline.end();
    }
  }

  return {
    submit,
    get: async (of, options) => job(options, addressOf(of)),
    cancel: async (of, options) =>
      job(options, addressOf(of, "/cancel"), { method: "POST", isRepeatable: true }),
    remove: async (of, options) => job(options, addressOf(of), { method: "DELETE" }),
    events,
    wait: async (of, options) =>
      within(client, options, async (call) => {
        const [url, result] = [addressOf(of), addressOf(of, "/result")];
        for (;;) {
          const { job, headers } = await ask(call, url);
          if (FINAL.has(job.status)) break;
          // 0 would ask without a pause.
          const seconds = retryAfterSeconds(headers.get("Retry-After")) || POLL_SECONDS;
          await call.deadline.wait(seconds * 1000);
        }
        return predictionOf(await request(call, { url: result, members: PREDICTION_MEMBERS }));
      }),
  };
}

async function ask(call: Call, url: URL, how: object = {}) {
  const { body, headers } = await request(call, { url, members: MEMBERS, ...how });
  return { job: body as unknown as Job<never>, headers };
}

async function* following(call: Call, url: URL): AsyncGenerator<JobEvent, void, undefined> {
  let known = "";
  let againMs = AGAIN_MS;
  for (let failures = 0; ;) {
    call.deadline.signal.throwIfAborted();
    let pauseMs = againMs;
    try {
      const headers = known === "" ? {} : { "Last-Event-ID": known };
      const messages = readEvents(await open(call, url, headers));
      try {
        for (;;) {
          const { value, done } = await reaching(call, url, () => messages.next());
          if (done) break;
          if (value.retryMs !== undefined) pauseMs = againMs = value.retryMs;
          if (value.data === "") continue;
          failures = 0;
          known = value.id ?? known;
          const event = eventOf(value.data, call);
          yield event;
          if (FINAL.has(event.status)) return;
        }
      } finally {
        await messages.return(undefined);
      }
    } catch (error) {
      pauseMs = retryWait(call, error, failures++, true);
    }
    await call.deadline.wait(pauseMs);
  }
}

function eventOf(data: string, ids: Call): JobEvent {
  try {
    return JSON.parse(data) as JobEvent;
  } catch (cause) {
    const { requestId, traceId } = ids;
    const details = { status: 200, cause, requestId, traceId };
    throw new NearcastClientError(
      "unexpected_answer",
      "An event is not one of Nearcast's.",
      details,
    );
  }
}

/** Pages without https have no `crypto.randomUUID`. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
