import { createHandler } from "../functions/lambda.ts";

export const handler = createHandler();
