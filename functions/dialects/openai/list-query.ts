import type { Context } from "hono";
import * as z from "zod";
import { checkBody } from "../../errors.ts";
import type { AppEnv } from "../../http/exchange.ts";

/** The most items of a page: each is read by itself. A client that goes on with the last id gets all of them. */
const MOST_AT_ONCE = 100;

const listQuery = z.strictObject({
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(MOST_AT_ONCE),
  order: z.enum(["asc", "desc"]).default("desc"),
  purpose: z.string().optional(),
});

/** The query of a list. Throws `invalid_input`. */
export function readListQuery(c: Context<AppEnv>) {
  const data = checkBody(listQuery, c.req.query());
  return { ...data, limit: Math.min(data.limit, MOST_AT_ONCE) };
}
