import { handle, type LambdaContext, type LambdaEvent } from "hono/aws-lambda";
import { createService } from "nearcast";
import { createLambdaPlatform } from "nearcast/lambda";
import { createShop } from "./shop.ts";

const platform = createLambdaPlatform(process.env);
const answer = handle(createShop(createService(platform)));

export async function handler(event: LambdaEvent, context?: LambdaContext) {
  const answered = await answer(event, context);
  // Lambda stops the process once it has the answer. What the answer did not wait for ends before.
  await platform.settled();
  return answered;
}
