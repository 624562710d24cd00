import { Hono, type Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { AnswerLater } from "../call.ts";
import { invalidInput } from "../errors.ts";
import { isFinal, type Job, type JobRequest } from "../jobs/job.ts";
import type { Deadline } from "../load/deadline.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { Service } from "../service.ts";
import { parseJsonText } from "../wire/json.ts";
import { writeJson } from "../wire/raw-number.ts";
import { answer } from "./answer.ts";
import { readBody, textOf } from "./body.ts";
import { askedOf, baseOf, pathOf, predictorOf, type AppEnv } from "./exchange.ts";
import { EventStreams, jobEvents } from "./job-events.ts";
import { requestFields } from "./request-fields.ts";
import { shownWebhook } from "../webhooks/webhook.ts";
import { checkJobId } from "./prefer.ts";
import { readWebhookFields, readWebhookMembers, type NamedWebhook } from "./webhook.ts";

/** Seconds after which a client may ask again. */
const POLL_SECONDS = 1;
const LONGEST_LOOK_MS = 500;
const JSON_TYPE = { "Content-Type": "application/json" };

/** `GET`, `PUT` and `DELETE /v1/jobs/{id}`, its answer, its events, and its end. */
export function jobRoutes(
  { platform, resolve }: Pick<Service, "platform" | "resolve">,
  jobs: Jobs,
): Hono<AppEnv> {
  const { config, now, answersWhole } = platform;
  const options = { maxBytes: config.limits.bodyBytes, now };
  const streams = new EventStreams();
  return new Hono<AppEnv>()
    .put("/v1/jobs/:id", async (c) => {
      const caller = predictorOf(c);
      const id = checkJobId(c.req.param("id"), "The id");
      const { model, version, webhook, ...body } = readJobBody(textOf(await readBody(c, options)));
      const found = await resolve({ ...askedOf(c), model, version });
      const path = version === undefined ? "" : `/versions/${encodeURIComponent(version)}`;
      const job = await jobs.make({
        caller,
        id,
        request: {
          ...jsonRequestOf(c),
          path: `/v1/models/${encodeURIComponent(model)}${path}/predict`,
        },
        body: new TextEncoder().encode(writeJson(body)),
        version: found,
        webhook: placed(c, id, webhook ?? readWebhookFields(c.req)),
      });
      return answerJob(c, job, 202);
    })
    .get("/v1/jobs/:id", async (c) =>
      answerJob(c, await jobs.read(predictorOf(c), c.req.param("id"))),
    )
    .get("/v1/jobs/:id/result", async (c) => answerResult(c, jobs, c.req.param("id")))
    .get("/v1/jobs/:id/events", async (c) => {
      const caller = predictorOf(c);
      const { deadline } = c.get("exchange");
      const id = c.req.param("id");
      const job = await jobs.read(caller, id);
      const seen = Number(c.req.header("last-event-id")) || 0;
      const wholeWithinMs = answersWhole ? leftMs(deadline) : undefined;
      const events = jobEvents(job, () => jobs.read(caller, id), { streams, seen, wholeWithinMs });
      return answer(c, events, { "Content-Type": "text/event-stream" });
    })
    .post("/v1/jobs/:id/cancel", async (c) =>
      answerJob(c, await jobs.cancel(predictorOf(c), c.req.param("id"))),
    )
    .delete("/v1/jobs/:id", async (c) =>
      answerJob(c, await jobs.remove(predictorOf(c), c.req.param("id"))),
    );
}

/**
 * Makes a job of a request, and answers 202. Answers the job's own answer where the client waits for it, and it comes in
 * time.
 */
export async function makeJob(
  c: Context<AppEnv>,
  jobs: Jobs,
  { version }: AnswerLater,
): Promise<Response> {
  const exchange = c.get("exchange");
  const { caller, preferred, headers, deadline, body } = exchange;
  const { id = crypto.randomUUID(), waitSeconds = 0, webhook } = preferred ?? {};
  const { search } = new URL(c.req.url);
  const job = await jobs.make({
    caller,
    id,
    request: { ...requestOf(c), path: `${pathOf(c)}${search}` },
    body: body ?? new Uint8Array(await c.req.arrayBuffer()),
    version,
    webhook: placed(c, id, webhook),
  });
  headers["Preference-Applied"] =
    waitSeconds > 0 ? `respond-async, wait=${waitSeconds}` : "respond-async";
  let until = Date.now() + Math.min(waitSeconds * 1000, leftMs(deadline));
  exchange.endWait = () => (until = 0);
  for (let pause = 20; Date.now() < until; pause = Math.min(2 * pause, LONGEST_LOOK_MS)) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(pause, until - Date.now())));
    if (isFinal(await jobs.read(caller, id))) return answerResult(c, jobs, id);
  }
  return answerJob(c, job, 202);
}

/** How long a request may wait, so that there is an answer before its time is over. */
function leftMs(deadline: Deadline): number {
  return deadline.endsAt() - performance.now() - 1000;
}

function answerJob(c: Context<AppEnv>, job: Job, status: 200 | 202 = 200): Response {
  const { headers } = c.get("exchange");
  const location = locationOf(c, job.id);
  if (status === 202) headers["Location"] = location;
  if (!isFinal(job)) headers["Retry-After"] = String(POLL_SECONDS);
  return answer(c, JSON.stringify(shown(job, location)), JSON_TYPE, status);
}

function locationOf(c: Context<AppEnv>, id: string): string {
  return `${baseOf(c)}/v1/jobs/${encodeURIComponent(id)}`;
}

function placed(c: Context<AppEnv>, id: string, webhook: NamedWebhook | undefined) {
  return webhook && { ...webhook, location: locationOf(c, id) };
}

/** The job as its caller sees it. */
function shown(job: Job, location: string) {
  const { id, status, model, version, digest, events, expiresAt, answer: answered } = job;
  const [made] = events;
  const begun = events.findLast((event) => event.status === "running");
  const ended = isFinal(job) ? events.at(-1) : undefined;
  const webhook = shownWebhook(job);
  return {
    id,
    status,
    model,
    version,
    digest: `sha256:${digest}`,
    created_at: written(made?.at ?? 0),
    ...(begun && { started_at: written(begun.at) }),
    ...(ended && { ended_at: written(ended.at) }),
    expires_at: written(expiresAt),
    ...(answered && { result: `${location}/result` }),
    ...(webhook && { webhook }),
  };
}

const written = (time: number) => new Date(time).toISOString();

/** Answers as the call itself would have been answered. */
async function answerResult(c: Context<AppEnv>, jobs: Jobs, id: string): Promise<Response> {
  const { body, status, headers } = await jobs.answer(predictorOf(c), id);
  const own = c.get("exchange").headers;
  // Names of one field in two spellings would both be sent.
  for (const name of Object.keys(own)) if (name.toLowerCase() in headers) delete own[name];
  return answer(c, body, headers, status as ContentfulStatusCode);
}

function requestOf(c: Context<AppEnv>): Omit<JobRequest, "path"> {
  const { id, quota } = c.get("exchange");
  return {
    headers: { ...requestFields(c), "x-request-id": id },
    ...(quota && { rateKey: quota.key }),
  };
}

/** The same for a body that is made anew, as JSON. */
export function jsonRequestOf(c: Context<AppEnv>): Omit<JobRequest, "path"> {
  const { headers, ...request } = requestOf(c);
  const { "content-encoding": _, ...kept } = headers;
  return { ...request, headers: { ...kept, "content-type": "application/json" } };
}

interface JobBody {
  model: string;
  version?: string | undefined;
  inputs: unknown;
  parameters?: unknown;
  webhook?: NamedWebhook | undefined;
}

const MEMBERS = new Set([
  "model",
  "version",
  "inputs",
  "parameters",
  "webhook",
  "webhook_events_filter",
]);

/** Throws `malformed_json` or `invalid_input`. The model's task checks the inputs and parameters. */
function readJobBody(text: string): JobBody {
  const body = parseJsonText(text, "The body");
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw invalidInput([{ path: "body", message: "must be an object with model and inputs" }]);
  const { model, version, inputs, parameters } = body as Record<string, unknown>;
  const issues = Object.keys(body)
    .filter((path) => !MEMBERS.has(path))
    .map((path) => ({ path, message: "is not a member of the request" }));
  if (typeof model !== "string") issues.push({ path: "model", message: "must be a model's name" });
  if (version !== undefined && typeof version !== "string")
    issues.push({ path: "version", message: "must be a version's name" });
  if (inputs === undefined) issues.push({ path: "inputs", message: "is missing" });
  if (issues.length > 0) throw invalidInput(issues);
  const webhook = readWebhookMembers(body as Record<string, unknown>);
  return { model, version, inputs, parameters, webhook } as JobBody;
}
