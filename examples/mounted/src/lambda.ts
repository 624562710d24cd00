import { handle, type LambdaContext, type LambdaEvent } from "hono/aws-lambda";
import { createService } from "nearcast";
import { createLambdaPlatform } from "nearcast/lambda";
import { createShop } from "./shop.ts";

const platform = createLambdaPlatform(process.env);
const answer = handle(createShop(createService(platform)));

export async function handler(event: LambdaEvent, context?: LambdaContext) {
  const answered = await answer(event, context);
  // Lambda freezes the process once it has the answer. Background work must end before.
  await platform.settled();
  return answered;
}
