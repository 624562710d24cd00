import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Dialect } from "../dialects/define.ts";
import { problem, type NearcastError } from "../errors.ts";
import { ERROR_HEADER } from "../spillover/region.ts";
import { answer } from "./answer.ts";
import { nameAssignment, pathOf, type AppEnv } from "./exchange.ts";

/** Answers an error in the shape for this path's clients. */
export type AnswerError = (
  c: Context<AppEnv>,
  error: NearcastError,
) => Response | Promise<Response>;

export function createAnswerError(dialects: readonly Dialect[]): AnswerError {
  const shapes = dialects
    .flatMap(({ paths, ...shape }) => paths.map((path) => ({ path, ...shape })))
    // The longest path is the most specific one, so it comes first.
    .toSorted((a, b) => b.path.length - a.path.length);

  return function answerError(c, error) {
    const exchange = c.get("exchange");
    exchange.error = error;
    if (exchange.spilled) exchange.headers[ERROR_HEADER] = error.code;
    nameAssignment(exchange);
    const asked = pathOf(c);
    const shape = shapes.find(({ path }) => asked === path || asked.startsWith(`${path}/`));
    if (shape?.answerError) return shape.answerError(c, error);
    const body = shape?.errorBody?.(error, exchange.id);
    const headers = {
      ...error.headers,
      "Content-Type": body ? (shape?.errorType ?? "application/json") : "application/problem+json",
    };
    const status = shape?.errorStatus?.(error) ?? error.status;
    const json = JSON.stringify(body ?? problem(error, exchange.id));
    return answer(c, json, headers, status as ContentfulStatusCode);
  };
}
