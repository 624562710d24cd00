import type { Context } from "hono";
import type * as z from "zod";
import { checkBody } from "../errors.ts";
import type { Platform } from "../platform/types.ts";
import { parseJson } from "../wire/json.ts";
import { letOthersGo, readBody } from "./body.ts";
import type { AppEnv } from "./exchange.ts";

/**
 * Reads the body's JSON with a schema. Rejects as {@link readBody} does, with `malformed_json`, and with
 * `invalid_input` and a path for each wrong member.
 *
 * @example const { model, texts } = await readJson(c, requestSchema, service.platform);
 */
export async function readJson<T>(
  c: Context<AppEnv>,
  schema: z.ZodType<T>,
  { config, now }: Pick<Platform, "config" | "now">,
): Promise<T> {
  const body = await readBody(c, { maxBytes: config.limits.bodyBytes, now });
  const json = parseJson(body, { exact: false });
  await letOthersGo(c, body);
  return checkBody(schema, json);
}
