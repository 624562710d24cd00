import type { LambdaContext, LambdaEvent } from "hono/aws-lambda";
import { createApp, type Options } from "./app.ts";
import { mountedAt } from "./http/exchange.ts";
import { createEventAnswer, resultOf, type EventResult } from "./platform/lambda-answer.ts";
import { placeAtRoot } from "./platform/lambda-event.ts";
import { EventRequest } from "./platform/lambda-request.ts";
import { createLambdaPlatform } from "./platform/lambda.ts";
import type { SqsEvent, SqsResult } from "./platform/queue/sqs.ts";
import { createService, type Service } from "./service.ts";
import { within } from "./within.ts";

export { createLambdaPlatform };

const GATEWAY_TIMEOUT = 504;
const INVALID = { status: 400, headers: { "Content-Type": "text/plain" } };

/** What Lambda calls with each event. */
interface Handler {
  (event: LambdaEvent, context?: LambdaContext): Promise<EventResult>;
  (event: SqsEvent, context?: LambdaContext): Promise<SqsResult>;
  /** Settles when the models of `PRELOAD` are loaded, or could not be. Lambda's init phase should wait for it. */
  ready: Promise<unknown>;
}

/** Lambda ends an init phase after 10 seconds, and begins it again. */
const PRELOADING_MS = 8000;

/**
 * The whole service as a Lambda function, for the events of API Gateway, function URLs and load balancers. With an event
 * of EventBridge's schedule, it looks at the versions on trial, and removes captured inputs that have expired. With one of
 * SQS, it runs jobs.
 *
 * @example export const handler = createHandler();
 */
export function createHandler(options: Options = {}): Handler {
  const platform = { ...createLambdaPlatform(process.env), createAnswer: createEventAnswer };
  const service = createService(platform, options);
  const app = createApp(service, options);
  async function answerEvent(given: LambdaEvent, lambdaContext?: LambdaContext) {
    if (isScheduled(given)) {
      await service.rollouts.lookAtAll();
      await service.removeExpired();
      return resultOf(given, createEventAnswer("", { status: 204, headers: {} }));
    }
    const { event, base } = placeAtRoot(given);
    const request = asRequest(event);
    if (!request) return resultOf(event, createEventAnswer("Invalid request", INVALID));
    mountedAt.set(request, base);
    const { requestContext } = event;
    const answered = await app.fetch(request, { event, requestContext, lambdaContext });
    // After a time-out, unfinished work goes on when the next request thaws the process.
    if (answered.status !== GATEWAY_TIMEOUT) await platform.settled();
    return resultOf(event, answered);
  }
  const handler = async (event: LambdaEvent | SqsEvent, context?: LambdaContext) =>
    isOfQueue(event) ? platform.runJobs(event, context) : answerEvent(event, context);
  return Object.assign(handler as Handler, { ready: preloadAll(service) });
}

/** Loads the models of `PRELOAD`. One that cannot be loaded is in the log, and its requests get the error. */
function preloadAll({ platform, preload }: Service): Promise<unknown> {
  const loading = platform.config.preload.map((model) =>
    preload(model).catch((error: unknown) =>
      platform.log({ level: "warn", message: "not preloaded", model, error: String(error) }),
    ),
  );
  return within(Promise.all(loading), PRELOADING_MS, () => undefined);
}

/** Whether EventBridge's schedule sent the event. A client cannot set this member of an event. */
function isScheduled(event: object): boolean {
  return "source" in event && event.source === "aws.events";
}

/** Whether SQS sent the event. A client cannot set this member of an event. */
function isOfQueue(event: object): event is SqsEvent {
  if (!("Records" in event) || !Array.isArray(event.Records)) return false;
  const records = event.Records as { eventSource?: unknown }[];
  return records[0]?.eventSource === "aws:sqs";
}

/** Undefined for an address that no URL can have. */
function asRequest(event: LambdaEvent): Request | undefined {
  try {
    return new EventRequest(event) as unknown as Request;
  } catch {
    return undefined;
  }
}
