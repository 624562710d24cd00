import { createHandler } from "nearcast/lambda";

export const handler = createHandler();
