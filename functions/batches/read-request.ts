import { NearcastError } from "../errors.ts";
import { parseJsonText } from "../wire/json.ts";
import type { RequestIssue } from "./batch.ts";

/** A line of a file of requests. */
export interface RequestLine {
  custom_id: string;
  body: { model: string };
}

const MOST_ID_CHARACTERS = 512;

type Found = { request: RequestLine } | { issue: Omit<RequestIssue, "line"> };

/** Reads `{custom_id, method, url, body}`. The endpoint checks the body, but for its model. */
export function readRequest(text: string, endpoint: string): Found {
  let value: unknown;
  try {
    value = parseJsonText(text, "This line");
  } catch (error) {
    if (!(error instanceof NearcastError)) throw error;
    return issue("invalid_json_line", error.message);
  }
  if (!isObject(value)) return issue("invalid_json_line", "This line is not a JSON object.");
  const { custom_id: id, method, url, body } = value;
  if (typeof id !== "string" || id === "") return missing("custom_id", "a string");
  if (id.length > MOST_ID_CHARACTERS)
    return issue(
      "invalid_custom_id",
      `custom_id may have at most ${MOST_ID_CHARACTERS} characters.`,
      "custom_id",
    );
  if (method !== "POST") return issue("invalid_method", "method must be POST.", "method");
  if (url !== endpoint)
    return issue("invalid_url", `url must be ${endpoint}, as the batch's endpoint is.`, "url");
  if (!isObject(body)) return missing("body", "an object");
  if (typeof body["model"] !== "string") return missing("body.model", "a model's name");
  return { request: { custom_id: id, body: body as { model: string } } };
}

function missing(param: string, what: string): Found {
  return issue("missing_required_parameter", `${param} must be ${what}.`, param);
}

function issue(code: string, message: string, param?: string): Found {
  return { issue: { code, message, ...(param !== undefined && { param }) } };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
