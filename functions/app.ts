import { Hono, type Context } from "hono";
import { methodNotAllowed as findMethods } from "hono/method-not-allowed";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { createAccess } from "./auth/access.ts";
import { createAdmission, type Turns } from "./load/admission.ts";
import { methodNotAllowed, NearcastError } from "./errors.ts";
import { accessLog } from "./http/middleware/record-requests.ts";
import { authenticate } from "./http/middleware/authenticate.ts";
import { beginRequest } from "./http/middleware/begin-request.ts";
import { crossOrigin } from "./http/middleware/cross-origin.ts";
import { limitBody } from "./http/middleware/limit-body.ts";
import { createCharge, limitGuesses, limitRequests } from "./limits/charge.ts";
import { limitConcurrency } from "./http/middleware/limit-concurrency.ts";
import { createRegistry } from "./model/registry.ts";
import { createSessions } from "./model/sessions.ts";
import type { Platform } from "./platform/types.ts";
import { createCachedRuns } from "./prediction-cache/cached-runs.ts";
import { createInfer, createPredict } from "./predict.ts";
import type { AppEnv } from "./http/exchange.ts";
import { answer } from "./http/answer.ts";
import { documentationRoutes } from "./http/documentation.ts";
import { errorBody } from "./http/error-body.ts";
import { createCheckReady, healthRoutes } from "./model/ready.ts";
import { mlflowRoutes } from "./dialects/mlflow/routes.ts";
import { nativeRoutes } from "./dialects/native/routes.ts";
import { openInferenceRoutes } from "./dialects/open-inference/routes.ts";
import { openaiRoutes } from "./dialects/openai/routes.ts";
import { tensorflowServingRoutes } from "./dialects/tensorflow-serving/routes.ts";
import { createStatistics } from "./observe/statistics.ts";

/** The whole service for one platform: a Hono app whose `fetch` answers requests. */
export function createApp(platform: Platform) {
  const { config } = platform;
  const registry = createRegistry(platform);
  const sessions = createSessions(platform, registry);
  const statistics = createStatistics();
  const registryFor = createAccess(registry);
  const checkReady = createCheckReady(registry, sessions, platform);
  const turns = createTurns(platform);
  const charge = createCharge(platform);
  const cachedRuns = createCachedRuns(platform);
  const paths = { registryFor, sessions, statistics, turns, charge, cachedRuns };
  const predict = createPredict(paths);
  const infer = createInfer(paths);
  const services = { platform, registryFor, checkReady, sessions, statistics, predict, infer };

  const routes = new Hono<AppEnv>()
    .route("/", healthRoutes(services))
    .route("/v1/models", nativeRoutes(services))
    .route("/v1/models", tensorflowServingRoutes(services))
    .route("/v1", openaiRoutes(services))
    .route("/v2", openInferenceRoutes(services))
    .route("/", mlflowRoutes(services))
    .route("/", documentationRoutes(services));

  // A slash at the end is no other place: some clients ask for /v2/.
  const app = new Hono<AppEnv>({ strict: false });
  if (config.accessLog) app.use(accessLog(platform));
  app.use(beginRequest(platform));
  if (config.corsOrigins) app.use(crossOrigin(config.corsOrigins));
  if (config.rateLimit) app.use(limitGuesses(platform, config.rateLimit));
  if (config.auth.mode !== "open") app.use(authenticate(config.auth, platform));
  if (config.rateLimit || config.auth.mode !== "open") app.use(limitRequests(platform));
  app.use(limitConcurrency(config, turns?.running));
  app.use(limitBody(config.limits.bodyBytes));
  const service = app.route("/", routes);

  // Hono's middleware, only where nothing was found: before every request it would cost each of them.
  const answerWrongMethod = findMethods({
    app: routes,
    onMethodNotAllowed: (c, methods) => answerProblem(c, methodNotAllowed(c.req.path, methods)),
  });
  app.notFound(async (c) => {
    await answerWrongMethod(c, async () => {
      const nothing = new NearcastError("not_found", `There is nothing at ${c.req.path}.`);
      c.res = answerProblem(c, nothing);
    });
    return c.res;
  });

  app.onError((error, c) => {
    const id = c.get("requestId");
    const shown =
      error instanceof NearcastError
        ? error
        : new NearcastError("internal", `The request failed; its id is ${id}.`);
    // What the service answers on purpose is in the access log; this is for what went wrong.
    if (shown.status >= 500 && (shown !== error || error.cause !== undefined))
      platform.log({
        level: "error",
        requestId: id,
        code: shown.code,
        message: error.message,
        cause: error.cause instanceof Error ? error.cause.message : undefined,
        stack: error.stack,
      });
    return answerProblem(c, shown);
  });
  return service;
}

/** The routes' types for `hono/client`: `hc<AppType>(url)`. */
export type AppType = ReturnType<typeof createApp>;

function createTurns({ config, now, turnEventLoop }: Platform): Turns | undefined {
  if (!now) return undefined;
  const { maxQueueMs, workers } = config;
  const options = { now, maxQueueMs, turnEventLoop };
  return {
    preparing: createAdmission({ ...options, parallelism: 1 }),
    running: createAdmission({
      ...options,
      // Joined runs are computed at once, as many as there are rows.
      parallelism: Math.max(workers, 1, ...config.dynamicBatching.values()),
      // Runs in processes of their own do not block this one.
      ...(workers > 0 && { turnEventLoop: undefined }),
    }),
  };
}

function answerProblem(c: Context<AppEnv>, error: NearcastError): Response {
  c.get("context").error = error;
  const { body, contentType } = errorBody(c.req.path, error, c.get("requestId"));
  const headers = { ...error.headers, "Content-Type": contentType };
  return answer(c, JSON.stringify(body), headers, error.status as ContentfulStatusCode);
}
