import { handle } from "hono/aws-lambda";
import { createApp, type Options } from "./app.ts";
import { mountedAt } from "./http/exchange.ts";
import { placeAtRoot } from "./platform/lambda-event.ts";
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
  const app = createApp(createService(platform, options), options);
  const bases = new WeakMap<object, string>();
  const answer = handle({
    fetch(request: Request, env: { event: object }) {
      mountedAt.set(request, bases.get(env.event) ?? "");
      return app.fetch(request, env);
    },
  } as typeof app);
  return async function handler(given, context) {
    const { event, base } = placeAtRoot(given);
    bases.set(event, base);
    const answered = await answer(event, context);
    // After a time-out, unfinished work goes on when the next request thaws the process.
    if (answered.statusCode !== GATEWAY_TIMEOUT) await platform.settled();
    return answered;
  };
}
