import type { LambdaContext, LambdaEvent } from "hono/aws-lambda";
import { createApp, type Options } from "./app.ts";
import { mountedAt } from "./http/exchange.ts";
import { createEventAnswer, resultOf, type EventResult } from "./platform/lambda-answer.ts";
import { placeAtRoot } from "./platform/lambda-event.ts";
import { EventRequest } from "./platform/lambda-request.ts";
import { createLambdaPlatform } from "./platform/lambda.ts";
import { createService } from "./service.ts";

export { createLambdaPlatform };

const GATEWAY_TIMEOUT = 504;
const INVALID = { status: 400, headers: { "Content-Type": "text/plain" } };

/** What Lambda calls with each event. */
type Handler = (event: LambdaEvent, context?: LambdaContext) => Promise<EventResult>;

/**
 * The whole service as a Lambda function, for the events of API Gateway, function URLs and load balancers.
 *
 * @example export const handler = createHandler();
 */
export function createHandler(options: Options = {}): Handler {
  const platform = { ...createLambdaPlatform(process.env), createAnswer: createEventAnswer };
  const app = createApp(createService(platform, options), options);
  return async function handler(given, lambdaContext) {
    const { event, base } = placeAtRoot(given);
    const request = asRequest(event);
    if (!request) return resultOf(event, createEventAnswer("Invalid request", INVALID));
    mountedAt.set(request, base);
    const { requestContext } = event;
    const answered = await app.fetch(request, { event, requestContext, lambdaContext });
    // After a time-out, unfinished work goes on when the next request thaws the process.
    if (answered.status !== GATEWAY_TIMEOUT) await platform.settled();
    return resultOf(event, answered);
  };
}

/** Undefined for an address that no URL can have. */
function asRequest(event: LambdaEvent): Request | undefined {
  try {
    return new EventRequest(event) as unknown as Request;
  } catch {
    return undefined;
  }
}
