import { Hono, type Context } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { ANYONE, createAccess, NOBODY } from "./access.ts";
import { NearcastError } from "./errors.ts";
import { authenticate } from "./middleware/authenticate.ts";
import { limitBody } from "./middleware/limit-body.ts";
import { createRegistry } from "./model/registry.ts";
import { createSessions } from "./model/sessions.ts";
import { createPhases } from "./phases.ts";
import type { Platform } from "./platform/types.ts";
import { createInfer, createPredict } from "./predict.ts";
import type { AppEnv } from "./request-context.ts";
import { documentationRoutes } from "./routes/documentation.ts";
import { errorBody } from "./routes/error-body.ts";
import { createCheckReady, healthRoutes } from "./routes/health.ts";
import { mlflowRoutes } from "./routes/mlflow.ts";
import { nativeRoutes } from "./routes/native.ts";
import { openInferenceRoutes } from "./routes/open-inference.ts";
import { openaiRoutes } from "./routes/openai.ts";
import { tensorflowServingRoutes } from "./routes/tensorflow-serving.ts";
import { createStatistics } from "./statistics.ts";

/** The whole service for one platform: a Hono app whose `fetch` answers requests. */
export function createApp(platform: Platform) {
  const registry = createRegistry(platform);
  const sessions = createSessions(platform, registry);
  const statistics = createStatistics();
  const registryFor = createAccess(registry);
  const checkReady = createCheckReady(registry, sessions);
  const paths = { registryFor, sessions, statistics, config: platform.config };
  const predict = createPredict(paths);
  const infer = createInfer(paths);
  const { auth } = platform.config;
  const caller = auth.mode === "open" ? ANYONE : NOBODY;
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
  const entrance = new Hono<AppEnv>({ strict: false }).use(requestId()).use((c, next) => {
    c.set("context", { phases: createPhases(platform.now), caller });
    return next();
  });
  if (auth.mode !== "open") entrance.use(authenticate(auth, platform));
  const app = entrance
    .use(
      methodNotAllowed({
        app: routes,
        onMethodNotAllowed: (c, methods) => answerProblem(c, wrongMethod(c.req.path, methods)),
      }),
    )
    .use(limitBody(platform.config.limits.bodyBytes))
    .route("/", routes);

  app.notFound((c) =>
    answerProblem(c, new NearcastError("not_found", `There is nothing at ${c.req.path}.`)),
  );

  app.onError((error, c) => {
    const id = c.get("requestId");
    const shown =
      error instanceof NearcastError
        ? error
        : new NearcastError("internal", `The request failed; its id is ${id}.`);
    if (shown.status >= 500)
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
  return app;
}

/** The routes' types for `hono/client`: `hc<AppType>(url)`. */
export type AppType = ReturnType<typeof createApp>;

function answerProblem(c: Context<AppEnv>, error: NearcastError): Response {
  const { body, contentType } = errorBody(c.req.path, error, c.get("requestId"));
  return c.json(body, error.status, { ...error.headers, "Content-Type": contentType });
}

function wrongMethod(path: string, methods: readonly string[]): NearcastError {
  const allowed = methods.join(", ");
  return new NearcastError("method_not_allowed", `${path} takes ${allowed}.`, {
    headers: { Allow: allowed },
  });
}
