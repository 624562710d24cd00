import { Hono } from "hono";
import { NearcastError } from "../errors.ts";
import type { Registry } from "../model/registry.ts";
import type { Sessions } from "../model/sessions.ts";
import type { AppEnv } from "../request-context.ts";
import { answerJson } from "./answer.ts";

/** Whether the store answers; `unreachable` where models in memory answer all the same. */
export type CheckReady = () => Promise<"reachable" | "unreachable">;

/** What load balancers and probes ask, in every dialect; says nothing of the models. */
export const HEALTH_PATHS: ReadonlySet<string> = new Set([
  "/health",
  "/ready",
  "/v2/health/live",
  "/v2/health/ready",
  "/ping",
]);

/** `GET /health`: the process is alive. `GET /ready`: it can answer a prediction. */
export function healthRoutes({ checkReady }: { checkReady: CheckReady }) {
  return new Hono<AppEnv>()
    .get("/health", (c) => answerJson(c, { status: "ok" as const }))
    .get("/ready", async (c) =>
      answerJson(c, { status: "ready" as const, store: await checkReady() }),
    );
}

/** Rejects with `store_unavailable` when no prediction could be answered. */
export function createCheckReady(registry: Registry, sessions: Sessions): CheckReady {
  return async function checkReady() {
    try {
      await registry.ping();
      return "reachable";
    } catch (error) {
      if (!(error instanceof NearcastError) || sessions.count() === 0) throw error;
      return "unreachable";
    }
  };
}
