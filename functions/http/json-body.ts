/**
 * Tells `hono/client` the type of a route's JSON body, as the third type of its handler's `Context`. Bodies are checked
 * where they are decoded, against the model's manifest.
 *
 * @example app.post("/v1/embeddings", (c: Context<AppEnv, string, JsonBody<EmbeddingsRequest>>) => …)
 */
export interface JsonBody<Json> {
  in: { json: Json };
  out: { json: Json };
}
