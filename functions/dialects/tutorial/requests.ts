import { invalidInput } from "../../errors.ts";
import { isObject } from "../rows.ts";

/** Where several rows are answered. */
export const BATCH_PATH = "/batch_predict";

/** A row of a request, which has its features in an array or by their names. */
export function readRow(body: unknown, path: string): unknown {
  if (!isObject(body))
    throw invalidInput([
      { path, message: "must be an object: with features, or with the features by their names" },
    ]);
  const { features, ...others } = body;
  if (features === undefined) return body;
  const [other] = Object.keys(others);
  if (other !== undefined)
    throw invalidInput([{ path: `${path}.${other}`, message: "is not known beside features" }]);
  if (Array.isArray(features) && features.some(Array.isArray))
    throw invalidInput([
      { path: "features", message: `must be one row: send several to ${BATCH_PATH}` },
    ]);
  return features;
}

/** The rows of a request: an array of what a single request has, of at most `most`. */
export function readRows(body: unknown, most: number): unknown[] {
  if (!Array.isArray(body))
    throw invalidInput([{ path: "body", message: "must be an array of objects with features" }]);
  if (body.length > most)
    throw invalidInput([{ path: "body", message: `must have at most ${most} rows` }]);
  return body.map((row, index) => readRow(row, `body[${index}]`));
}
