import { Hono, type Context, type MiddlewareHandler } from "hono";
import type { ExtractSchema } from "hono/types";
import { AnsweredElsewhere, AnswerLater } from "./call.ts";
import { BUILT_IN_DIALECTS } from "./dialects/built-in.ts";
import type { Dialect } from "./dialects/define.ts";
import type { predictRoutes } from "./dialects/native/routes.ts";
import { aliasDialect, checkAliases } from "./dialects/tutorial/aliases.ts";
import { NearcastError } from "./errors.ts";
import { documentationRoutes, pageRoutes } from "./http/documentation.ts";
import { feedbackRoutes } from "./http/feedback.ts";
import { driftRoutes } from "./http/drift.ts";
import { createAnswerError } from "./http/error-body.ts";
import type { AppEnv } from "./http/exchange.ts";
import { createFallback } from "./http/fallback.ts";
import { acceptSlash } from "./http/middleware/accept-slash.ts";
import { acceptSpilled } from "./http/middleware/accept-spilled.ts";
import { createSpillSecrets } from "./spillover/secrets-of.ts";
import { authenticate, refuseAll } from "./http/middleware/authenticate.ts";
import { beginRequest } from "./http/middleware/begin-request.ts";
import { crossOrigin } from "./http/middleware/cross-origin.ts";
import { limitBody } from "./http/middleware/limit-body.ts";
import { limitConcurrency } from "./http/middleware/limit-concurrency.ts";
import { limitRequests } from "./http/middleware/limit-requests.ts";
import { refuseDamaged } from "./http/middleware/refuse-damaged.ts";
import { recordRequests } from "./http/middleware/record-requests.ts";
import { jobRoutes, makeJob } from "./http/jobs.ts";
import { createPerform } from "./http/job-run.ts";
import { playgroundRoutes } from "./http/playground.ts";
import { metricsByToken, metricsRoutes } from "./http/metrics.ts";
import { rolloutRoutes } from "./http/rollouts.ts";
import { modelFileRoutes } from "./http/model-files.ts";
import { modelRoutes } from "./http/models.ts";
import { notFound } from "./http/not-found.ts";
import { answerForwarded, createElsewhere } from "./http/spill.ts";
import { rootPredictRoutes } from "./http/root-predict.ts";
import type { Service, ServiceOptions } from "./service.ts";

export interface AppOptions {
  /** Dialects besides the built-in ones. */
  dialects?: readonly Dialect[] | undefined;
}

/**
 * A project's additions to Nearcast. `nearcast.config.ts` exports them for the command and for the project's entries.
 *
 * @example export default { tasks: [myTask], dialects: [myDialect] } satisfies Options;
 */
export interface Options extends ServiceOptions, AppOptions {}

/**
 * HTTP around a service: a Hono app whose `fetch` answers requests. It can be mounted anywhere.
 *
 * @example new Hono().route("/ml", createApp(service))
 */
export function createApp(service: Service, options: AppOptions = {}): Hono<AppEnv> {
  const { platform, observer, turns, jobs, batches, region, registryFor } = service;
  const { config } = platform;
  const { auth, metricsToken } = config;
  const dialects = [
    ...BUILT_IN_DIALECTS,
    ...(options.dialects ?? []),
    ...(config.aliases.length > 0 ? [aliasDialect(config.aliases)] : []),
  ];
  const answerError = createAnswerError(dialects);
  const limit: MiddlewareHandler<AppEnv> =
    config.rateLimit || auth.mode !== "open" ? limitRequests(platform) : pass;

  const { admit, isAnswering } = limitConcurrency(config, turns);

  const health = new Hono<AppEnv>();
  for (const dialect of dialects) if (dialect.health) health.route("/", dialect.health(service));
  const limitOpen: MiddlewareHandler<AppEnv> = (c, next) =>
    limit(c, async () => void (await admit(c, next)));
  const open = playgroundRoutes(service, limitOpen).route("/", pageRoutes(service, limitOpen));
  const closed = new Hono<AppEnv>().route("/", modelRoutes(service, dialects));
  closed.route("/", modelFileRoutes(service));
  closed.route("/", driftRoutes(service)).route("/", feedbackRoutes(service));
  for (const dialect of dialects) closed.route("/", dialect.routes(service));
  closed.route("/", rootPredictRoutes(service));
  closed.route("/", metricsRoutes(service));
  closed.route("/", rolloutRoutes(service));
  if (jobs) closed.route("/", jobRoutes(service, jobs));
  closed.route("/", documentationRoutes(service, dialects, operationsOf(health, open)));

  const app = new Hono<AppEnv>({ strict: false });
  const record = observer.request ? recordRequests(observer.request, platform.now) : pass;
  app.use(acceptSlash(app, record));
  const elsewhere = region && createElsewhere(region, platform);
  app.use(beginRequest(platform, app.routes.length, { transfer: turns?.transfer, elsewhere }));
  if (config.corsOrigins) app.use(crossOrigin(config.corsOrigins));
  // The order of routes and middleware decides who may ask: a request to a route does not pass through middleware that
  // comes after it.
  app.route("/", health);
  if (metricsToken) app.get("/metrics", metricsByToken(service, metricsToken, { limit, admit }));
  const { secrets } = config.spill;
  if (secrets) app.use(acceptSpilled(createSpillSecrets(secrets, platform)));
  if (auth.mode === "closed") app.use(refuseAll);
  app.route("/", open);
  if (auth.mode === "required") app.use(authenticate(auth, platform, config.rateLimit));
  if (limit !== pass) app.use(limit);
  app.use(inOrder(admit, limitBody(config.limits.bodyBytes, batches !== undefined)));
  if (platform.hasLostBytes) app.use(refuseDamaged(platform.hasLostBytes));
  app.route("/", closed);
  // Not `app.notFound`: an app around this one would not call it.
  app.all("*", notFound(app));

  checkAliases(config.aliases, app.routes);

  const fallback = region && createFallback(app, registryFor);
  app.onError(async (error, c) => {
    if (error instanceof AnsweredElsewhere) return answerForwarded(c, error);
    if (!(error instanceof AnswerLater) || !jobs)
      return (await fallback?.(c, error)) ?? answerFailure(error, c);
    try {
      return await makeJob(c, jobs, error);
    } catch (refused) {
      return await answerFailure(refused as Error, c);
    }
  });
  function answerFailure(error: Error, c: Context<AppEnv>): Response | Promise<Response> {
    const { id } = c.get("exchange");
    const shown =
      error instanceof NearcastError
        ? error
        : new NearcastError("internal", `The request failed; its id is ${id}.`);
    // Errors that the service answers on purpose are in the access log. This logs failures and their causes.
    if (shown.status >= 500 && (shown !== error || error.cause !== undefined))
      platform.log({
        level: "error",
        requestId: id,
        code: shown.code,
        message: error.message,
        cause: error.cause instanceof Error ? error.cause.message : undefined,
        stack: error.stack,
      });
    return answerError(c, shown);
  }
  jobs?.begin(createPerform(app, service), isAnswering);
  return app;
}

/** The native API's types for `hono/client`: `hc<NativeApi>(url)`. */
export type NativeApi = Hono<
  AppEnv,
  ExtractSchema<ReturnType<typeof predictRoutes> | ReturnType<typeof modelRoutes>>
>;

/** The routes as the API's description names them, such as `get /health`. */
function operationsOf(...apps: readonly Hono<AppEnv>[]): Set<string> {
  return new Set(
    apps.flatMap(({ routes }) =>
      routes.map(({ method, path }) => `${method.toLowerCase()} ${path}`),
    ),
  );
}

/**
 * Two middleware as one. Each handler that Hono calls costs about half a microsecond. The second must not answer by itself.
 */
function inOrder(
  first: MiddlewareHandler<AppEnv>,
  second: MiddlewareHandler<AppEnv>,
): MiddlewareHandler<AppEnv> {
  return (c, next) => first(c, () => second(c, next) as Promise<void>);
}

const pass: MiddlewareHandler<AppEnv> = (_c, next) => next();
