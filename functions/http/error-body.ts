import { problem, type NearcastError } from "../errors.ts";
import { mlflowError } from "../dialects/mlflow/routes.ts";
import { openaiError } from "../dialects/openai/routes.ts";

/** Dialects whose clients read another shape of error than RFC 9457's, which all others do. */
const SHAPES: Record<string, (error: NearcastError) => object> = {
  "/v1/embeddings": openaiError,
  "/ping": mlflowError,
  "/version": mlflowError,
  "/invocations": mlflowError,
};

/** An error in the shape that the clients of the path read, with its media type. */
export function errorBody(path: string, error: NearcastError, requestId: string) {
  const shape = SHAPES[path];
  if (shape) return { body: shape(error), contentType: "application/json" };
  return { body: problem(error, requestId), contentType: "application/problem+json" };
}
