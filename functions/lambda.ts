import { handle } from "hono/aws-lambda";
import { createApp, type Options } from "./app.ts";
import { createLambdaPlatform } from "./platform/lambda.ts";
import { createService } from "./service.ts";

export { createLambdaPlatform };

const GATEWAY_TIMEOUT = 504;

/**
 * The whole service as a Lambda function, for the events of API Gateway, function URLs and load balancers.
 *
 * @example export const handler = createHandler();
 */
export function createHandler(options: Options = {}): ReturnType<typeof handle> {
  const platform = createLambdaPlatform(process.env);
  const answer = handle(createApp(createService(platform, options), options));
  return async function handler(event, context) {
    const answered = await answer(event, context);
    // After a time-out the work that is left goes on when the next request thaws the process.
    if (answered.statusCode !== GATEWAY_TIMEOUT) await platform.settled();
    return answered;
  };
}
