import { Hono, type Context, type MiddlewareHandler } from "hono";
import { mayUse, requireScope } from "../auth/access.ts";
import { invalidCredentials, missingCredentials } from "../auth/refusals.ts";
import { MEDIA_TYPES, writeMetrics, type Format, type Sample } from "../observe/metrics-text.ts";
import type { Service } from "../service.ts";
import { answer } from "./answer.ts";
import type { AppEnv } from "./exchange.ts";

/** `GET /metrics`, for callers with the scope `metrics`. Leaves out models that the caller may not use. */
export function metricsRoutes({ metrics }: Pick<Service, "metrics">): Hono<AppEnv> {
  return new Hono<AppEnv>().get("/metrics", async (c) => {
    requireScope(c.get("exchange").caller, "metrics");
    return show(c, metrics);
  });
}

/**
 * `GET /metrics` for whoever has `METRICS_TOKEN`, who has no rate. Other requests go on to authentication, where a key may
 * have the scope. A service that is open to everyone has no keys, and refuses them here, with a unit of the address's rate.
 */
export function metricsByToken(
  { metrics, platform }: Pick<Service, "metrics" | "platform">,
  token: string,
  { limit, admit }: { limit: MiddlewareHandler<AppEnv>; admit: MiddlewareHandler<AppEnv> },
): MiddlewareHandler<AppEnv> {
  const { sha256 } = platform;
  let wanted: string | Promise<string> | undefined;
  return async function metricsByToken(c, next) {
    const given = /^bearer +([^ ]+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    // Digests take the same time to compare however much of the token is right.
    if (given !== undefined && (await sha256(given)) === (await (wanted ??= sha256(token))))
      return admit(c, async () => void (c.res = await show(c, metrics)));
    if (platform.config.auth.mode !== "open") return next();
    return limit(c, () => {
      throw given === undefined
        ? missingCredentials()
        : invalidCredentials("The token is not that of the metrics.");
    });
  };
}

async function show(c: Context<AppEnv>, metrics: Service["metrics"]): Promise<Response> {
  const format = formatOf(c.req.header("accept"));
  const { caller } = c.get("exchange");
  const samples = await metrics.samples();
  const isShown = ({ metric, labels }: Sample) => {
    const model = labels[metric.labels.indexOf("model")];
    return model === undefined || mayUse(caller, model);
  };
  const text = writeMetrics(samples.filter(isShown), format);
  return answer(c, text, { "Content-Type": MEDIA_TYPES[format], Vary: "Accept" });
}

/** OpenMetrics for clients that prefer it, as Prometheus does (RFC 9110, section 12.5.1). */
function formatOf(accept = ""): Format {
  let [open, text] = [0, 0];
  for (const part of accept.toLowerCase().split(",")) {
    const [type, ...parameters] = part.split(";").map((one) => one.trim());
    const named = parameters.find((one) => one.startsWith("q="));
    const quality = named === undefined ? 1 : Number(named.slice(2)) || 0;
    const version = parameters.find((one) => one.startsWith("version="));
    if (type === "application/openmetrics-text" && (!version || version === "version=1.0.0"))
      open = Math.max(open, quality);
    if (type === "text/plain" || type === "*/*" || type === "text/*")
      text = Math.max(text, quality);
  }
  return open > 0 && open >= text ? "openmetrics" : "prometheus";
}
