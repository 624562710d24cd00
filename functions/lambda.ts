import { handle } from "hono/aws-lambda";
import { createApp } from "./app.ts";
import { createLambdaPlatform } from "./platform/lambda.ts";

export { createLambdaPlatform } from "./platform/lambda.ts";

const GATEWAY_TIMEOUT = 504;

/** The service as a Lambda function's handler of HTTP events. */
export function createHandler(): ReturnType<typeof handle> {
  const platform = createLambdaPlatform(process.env);
  const handleHttp = handle(createApp(platform));
  return async (event, context) => {
    const answer = await handleHttp(event, context);
    // What a request did not wait for in its own time goes on when the next one thaws the process.
    if (answer.statusCode !== GATEWAY_TIMEOUT) await platform.settled();
    return answer;
  };
}
