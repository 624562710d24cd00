import type { Context, Hono } from "hono";
import type { NearcastError } from "../errors.ts";
import type { AppEnv } from "../http/exchange.ts";
import type { ReleasedModel } from "../model/released-models.ts";
import type { Service } from "../service.ts";

/** A part of an OpenAPI 3.1 document: paths with their operations, and the schemas that they refer to. */
export interface Description {
  paths: Record<string, Record<string, object>>;
  schemas?: Record<string, object>;
}

/** A model in the answers at `/v1/models`. */
export interface ListedModel {
  name: string;
  /** The versions in the answer. */
  versions: readonly string[];
}

export interface DialectDefinition {
  name: string;
  /**
   * The paths of this dialect, such as `/v1/embeddings`, relative to the app's mount path. All errors at and below them
   * have its `errorBody`, including refusals and 404.
   */
  paths: readonly string[];
  /** Routes for load balancers and probes. They are never refused, limited or counted. */
  health?: (service: Service) => Hono<AppEnv>;
  /** All other routes. */
  routes: (service: Service) => Hono<AppEnv>;
  /** Makes the whole answer of an error, where the protocol has another form than a status and JSON. */
  answerError?: (c: Context<AppEnv>, error: NearcastError) => Response | Promise<Response>;
  /** Makes the JSON body of an error. RFC 9457's body when absent. */
  errorBody?: (error: NearcastError, requestId: string) => object;
  /** The media type of that body. `application/json` when absent. */
  errorType?: string;
  /** The status of an error where the protocol has another one. The error's own when absent or undefined. */
  errorStatus?: (error: NearcastError) => number | undefined;
  /** The dialect's part of `/openapi.json`. */
  describe?: (models: readonly ReleasedModel[]) => Description;
  /** The members that this dialect adds to the shared list of models. */
  modelList?: (models: readonly ListedModel[]) => object;
  /** The members that it adds to the description of one model. */
  model?: (model: ListedModel) => object;
}

/** A dialect, made by {@link defineDialect} and given to `createApp`. */
export type Dialect = DialectDefinition;

/**
 * Defines a dialect: a wire protocol over the service.
 *
 * @example
 * const plain = defineDialect({
 *   name: "plain",
 *   paths: ["/plain"],
 *   routes: ({ predict }) =>
 *     new Hono<AppEnv>().post("/plain/:model", async (c) => {
 *       const inputs = await c.req.json();
 *       const { outputs } = await predict({ ...callOf(c), model: c.req.param("model"), inputs });
 *       return answerJson(c, outputs);
 *     }),
 *   errorBody: ({ message }) => ({ failed: message }),
 * });
 */
export function defineDialect(definition: DialectDefinition): Dialect {
  for (const path of definition.paths)
    if (!/^(\/[^/]+)+$/.test(path))
      throw new Error(`Dialect ${definition.name}: ${path} must begin with / and not end with it.`);
  return definition;
}
