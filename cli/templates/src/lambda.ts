import { createHandler } from "nearcast/lambda";
import options from "../nearcast.config.ts";

export const handler = createHandler(options);
