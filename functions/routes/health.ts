import { Hono } from "hono";
import { NearcastError } from "../errors.ts";
import type { Registry } from "../model/registry.ts";
import type { Sessions } from "../model/sessions.ts";

/** `GET /health`: the process is alive. `GET /ready`: it can answer a prediction. */
export function healthRoutes(registry: Registry, sessions: Sessions) {
  return new Hono()
    .get("/health", (c) => c.json({ status: "ok" as const }))
    .get("/ready", async (c) =>
      c.json({ status: "ready" as const, store: await checkReady(registry, sessions) }),
    );
}

/** Resolves when a prediction could be answered; rejects with `store_unavailable` when none could. */
export async function checkReady(registry: Registry, sessions: Sessions) {
  try {
    await registry.ping();
    return "reachable" as const;
  } catch (error) {
    if (!(error instanceof NearcastError) || sessions.count() === 0) throw error;
    return "unreachable" as const;
  }
}
