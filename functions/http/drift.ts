import { Hono, type Context } from "hono";
import { requireScope } from "../auth/access.ts";
import { invalidInput, NearcastError } from "../errors.ts";
import { MOST_HOURS } from "../observe/drift/watch.ts";
import { driftOf } from "../observe/drift/window.ts";
import type { Service } from "../service.ts";
import { answerJson } from "./answer.ts";
import type { AppEnv } from "./exchange.ts";
import { identify } from "./identify.ts";

/** How the calls of the last hours differ from training: `GET /v1/models/{model}/drift?hours=24`. */
export function driftRoutes({ registryFor, platform }: Pick<Service, "registryFor" | "platform">) {
  async function answerDrift(c: Context<AppEnv>, name: string, version?: string) {
    const { caller } = c.get("exchange");
    requireScope(caller, "metrics");
    const { manifest } = await registryFor(caller, "metrics").resolve(name, { version });
    identify(c, manifest);
    const report = await driftOf(platform.counters, manifest, hoursOf(c.req.query("hours"))).catch(
      (cause: unknown) => {
        if (cause instanceof NearcastError) throw cause;
        const message = "What was counted is out of reach.";
        throw new NearcastError("store_unavailable", message, { cause, retryAfterSeconds: 1 });
      },
    );
    if (report) return answerJson(c, report);
    throw new NearcastError(
      "not_found",
      `Version ${manifest.version} of ${name} has no baseline to compare with. \`nearcast baseline\` writes it before the push.`,
    );
  }

  return new Hono<AppEnv>()
    .get("/v1/models/:model/drift", (c) => answerDrift(c, c.req.param("model")))
    .get("/v1/models/:model/versions/:version/drift", (c) =>
      answerDrift(c, c.req.param("model"), c.req.param("version")),
    );
}

function hoursOf(text: string | undefined): number {
  const hours = Number(text ?? MOST_HOURS);
  if (Number.isInteger(hours) && hours >= 1 && hours <= MOST_HOURS) return hours;
  throw invalidInput([
    { path: "hours", message: `must be a whole number from 1 to ${MOST_HOURS}` },
  ]);
}
