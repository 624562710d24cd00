import { Hono } from "hono";
import type { Service } from "../service.ts";
import { answerJson } from "./answer.ts";
import type { AppEnv } from "./exchange.ts";

/** `GET /v1/models/{name}/rollout`: what is on trial and what was counted, for callers with the scope `read`. */
export function rolloutRoutes({
  registryFor,
  rollouts,
}: Pick<Service, "registryFor" | "rollouts">) {
  return new Hono<AppEnv>().get("/v1/models/:model/rollout", async (c) => {
    const model = c.req.param("model");
    // Rejects for a model that there is not, or that the caller may not use.
    await registryFor(c.get("exchange").caller, "read").release(model);
    return answerJson(c, (await rollouts.status(model)) ?? {});
  });
}
