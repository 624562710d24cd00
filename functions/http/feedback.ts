import { Hono } from "hono";
import * as z from "zod";
import { requireScope } from "../auth/access.ts";
import { NearcastError } from "../errors.ts";
import { countsOutOfReach } from "../observe/counters.ts";
import { MOST_DAYS } from "../observe/feedback/feedback.ts";
import { accuracyOver } from "../observe/feedback/window.ts";
import type { Service } from "../service.ts";
import { answerJson } from "./answer.ts";
import type { AppEnv } from "./exchange.ts";
import { readJson } from "./read-json.ts";
import { wholeParameter } from "./whole-parameter.ts";

/** Each is looked up in a place of all instances. */
const MOST_AT_ONCE = 100;

const given = z.strictObject({
  request_id: z.string().min(1).max(200),
  outcome: z.unknown(),
  caller: z.string().max(200).optional(),
});
const bodySchema = z.union([given, z.array(given).min(1).max(MOST_AT_ONCE)]);
const forgottenSchema = z.strictObject({
  keys: z
    .array(z.string().regex(/^[0-9a-f]{64}$/))
    .min(1)
    .max(MOST_AT_ONCE),
});

/** What really happened, `POST /v1/feedback`, and how right a model was, `GET /v1/models/{model}/accuracy?days=7`. */
export function feedbackRoutes(
  service: Pick<Service, "feedback" | "registryFor" | "platform">,
): Hono<AppEnv> {
  const { feedback, registryFor, platform } = service;
  return new Hono<AppEnv>()
    .post("/v1/feedback", async (c) => {
      const { caller } = c.get("exchange");
      const registry = registryFor(caller, "predict");
      const body = await readJson(c, bodySchema, platform);
      if (!Array.isArray(body))
        return answerJson(c, {
          request_id: body.request_id,
          status: await feedback.give(caller, body, registry),
        });
      const results = [];
      // One after the other: the same id may be there twice.
      for (const one of body)
        results.push({
          request_id: one.request_id,
          ...(await feedback.give(caller, one, registry).then(
            (status) => ({ status }),
            (error: unknown) => refusal(error),
          )),
        });
      return answerJson(c, { results });
    })
    .post("/v1/feedback/forget", async (c) => {
      const { caller } = c.get("exchange");
      requireScope(caller, "admin");
      const { keys } = await readJson(c, forgottenSchema, platform);
      return answerJson(c, { forgotten: await feedback.forget(caller, keys) });
    })
    .get("/v1/models/:model/accuracy", async (c) => {
      const { caller } = c.get("exchange");
      requireScope(caller, "metrics");
      const registry = registryFor(caller, "metrics");
      const name = c.req.param("model");
      const days = wholeParameter(c, "days", { usual: 7, most: MOST_DAYS });
      const { stable, candidates } = await registry.release(name);
      const names = [...new Set([stable, ...candidates.map(({ version }) => version)])];
      const versions = await Promise.all(
        names.map(async (version) => {
          const { manifest } = await registry.resolve(name, { version });
          const accuracy = await accuracyOver(platform.counters, manifest, days).catch(
            countsOutOfReach,
          );
          return { version, released: version === stable, ...accuracy };
        }),
      );
      return answerJson(c, { model: name, days, versions });
    });
}

/** An item of a bulk that is refused does not refuse the others. A place that is out of reach refuses all of them. */
function refusal(error: unknown) {
  if (!(error instanceof NearcastError) || error.status >= 500) throw error;
  return { status: "refused" as const, code: error.code, detail: error.message };
}
