import { InputIssues, invalidInput } from "../errors.ts";
import { parseJsonText } from "../wire/json.ts";

export interface PredictBody {
  inputs: unknown;
  parameters: unknown;
}

/** Reads `{"inputs": …, "parameters": …}`. Throws `malformed_json`, or `invalid_input` for other members. */
export function readPredictJson(text: string): PredictBody {
  const body = parseJsonText(text, "The body");
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw invalidInput([{ path: "body", message: "must be an object with inputs" }]);
  const { inputs, parameters } = body as Record<string, unknown>;
  const issues = new InputIssues();
  for (const path of Object.keys(body))
    if (path !== "inputs" && path !== "parameters")
      issues.push({ path, message: "is not a member of the request" });
  issues.check();
  if (inputs === undefined) throw invalidInput([{ path: "inputs", message: "is missing" }]);
  return { inputs, parameters };
}
