import { Hono, type Context } from "hono";
import { requireScope } from "../auth/access.ts";
import { NearcastError } from "../errors.ts";
import { countsOutOfReach } from "../observe/counters.ts";
import { MOST_HOURS } from "../observe/drift/watch.ts";
import { driftOf } from "../observe/drift/window.ts";
import type { Service } from "../service.ts";
import { answerJson } from "./answer.ts";
import type { AppEnv } from "./exchange.ts";
import { identify } from "./identify.ts";
import { wholeParameter } from "./whole-parameter.ts";

/** How the calls of the last hours differ from training: `GET /v1/models/{model}/drift?hours=24`. */
export function driftRoutes({ registryFor, platform }: Pick<Service, "registryFor" | "platform">) {
  async function answerDrift(c: Context<AppEnv>, name: string, version?: string) {
    const { caller } = c.get("exchange");
    requireScope(caller, "metrics");
    const { manifest } = await registryFor(caller, "metrics").resolve(name, { version });
    identify(c, manifest);
    const report = await driftOf(
      platform.counters,
      manifest,
      wholeParameter(c, "hours", { usual: MOST_HOURS, most: MOST_HOURS }),
    ).catch((cause: unknown) => {
      if (cause instanceof NearcastError) throw cause;
      return countsOutOfReach(cause);
    });
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
