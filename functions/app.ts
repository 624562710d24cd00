import { Hono, type Context } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { NearcastError, problem } from "./errors.ts";
import { limitBody } from "./middleware/limit-body.ts";
import { createRegistry } from "./model/registry.ts";
import { createSessions } from "./model/sessions.ts";
import type { Platform } from "./platform/types.ts";
import { createPredict } from "./predict.ts";
import { healthRoutes } from "./routes/health.ts";
import { nativeRoutes } from "./routes/native.ts";

/** The whole service for one platform: a Hono app whose `fetch` answers requests. */
export function createApp(platform: Platform) {
  const registry = createRegistry(platform);
  const sessions = createSessions(platform, registry);
  const predict = createPredict(registry, sessions, platform.config);

  const routes = new Hono()
    .route("/", healthRoutes(registry, sessions))
    .route("/v1/models", nativeRoutes({ platform, registry, predict }));

  const app = new Hono()
    .use(requestId())
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

function answerProblem(c: Context, error: NearcastError): Response {
  return c.json(problem(error, c.get("requestId")), error.status, {
    ...error.headers,
    "Content-Type": "application/problem+json",
  });
}

function wrongMethod(path: string, methods: readonly string[]): NearcastError {
  const allowed = methods.join(", ");
  return new NearcastError("method_not_allowed", `${path} takes ${allowed}.`, {
    headers: { Allow: allowed },
  });
}
