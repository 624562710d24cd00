import { handle } from "hono/aws-lambda";
import { createApp } from "./app.ts";
import { createLambdaPlatform } from "./platform/lambda.ts";

const platform = createLambdaPlatform(process.env);
const handleHttp = handle(createApp(platform));

export const handler: typeof handleHttp = async (event, context) => {
  const answer = await handleHttp(event, context);
  await platform.settled();
  return answer;
};
