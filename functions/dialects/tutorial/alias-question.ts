import { invalidInput } from "../../errors.ts";
import type { Resolved } from "../../model/registry.ts";
import { isObject } from "../rows.ts";
import { tutorialAnswer } from "./answers.ts";
import { readRow } from "./requests.ts";

interface Question {
  inputs: unknown;
  parameters?: unknown;
  /** What the request calls the inputs. */
  member?: string;
  /** Makes the answer of the model's outputs. */
  answer: (outputs: unknown) => unknown;
}

/** What front ends call a basket, and the most items of an answer. */
const BASKETS = ["items", "basket", "item_ids", "product_ids"];
const COUNTS = ["top_k", "limit", "n"];

/**
 * Reads a request to an alias by the kind of its model: features, a text, an image or a basket. A body with `inputs` is
 * for the model's task itself. Throws `invalid_input`.
 */
export function questionOf(body: unknown, version: Resolved, path: string): Question {
  const { task, manifest } = version;
  if (!isObject(body))
    throw invalidInput([{ path: "body", message: "must be an object, or a form with a file" }]);
  if ("inputs" in body) return ofTask(body, version);
  if (task.input === "features")
    return {
      inputs: readRow(body, "body"),
      member: "features",
      answer: (output) => tutorialAnswer(output, manifest),
    };
  if (task.input === "text") return ofText(body, version, path);
  if (manifest.task === "recommendation") return ofBasket(body);
  throw invalidInput([{ path: "inputs", message: "is missing" }]);
}

function ofTask(
  { inputs, parameters, ...others }: Record<string, unknown>,
  { task, manifest }: Resolved,
): Question {
  refuseOthers(others, "beside inputs");
  // A form's file is what a front end sends of an image or of sound.
  const isFile = (task.input === "image" || task.input === "audio") && inputs instanceof Uint8Array;
  return {
    inputs,
    parameters,
    answer: (outputs) => (isFile ? tutorialAnswer(outputs, manifest) : { predictions: outputs }),
  };
}

function ofText(body: Record<string, unknown>, { manifest }: Resolved, path: string): Question {
  const { text, ...others } = body;
  refuseOthers(others, "beside text");
  if (typeof text !== "string") throw invalidInput([{ path: "text", message: "must be a string" }]);
  const name = path.slice(path.lastIndexOf("/") + 1);
  return {
    inputs: text,
    member: "text",
    answer(output) {
      if (Array.isArray(output))
        return { text, [typeof output[0] === "number" ? "embedding" : "predictions"]: output };
      const answer = tutorialAnswer(output, manifest);
      // `/sentiment` has the label as `sentiment`.
      return { [name]: answer.prediction, ...answer, text };
    },
  };
}

function ofBasket(body: Record<string, unknown>): Question {
  const [basket, ...more] = BASKETS.filter((name) => body[name] !== undefined);
  const count = COUNTS.find((name) => body[name] !== undefined);
  if (basket === undefined || more.length > 0)
    throw invalidInput([{ path: "body", message: `must have one of ${BASKETS.join(", ")}` }]);
  const { [basket]: items, ...others } = body;
  const { [count ?? ""]: top, ...rest } = others;
  refuseOthers(rest, `beside ${basket}`);
  return {
    inputs: items,
    member: basket,
    ...(count !== undefined && { parameters: { top_k: top } }),
    answer: (outputs) => ({ recommendations: outputs }),
  };
}

function refuseOthers(others: object, where: string): void {
  const [other] = Object.keys(others);
  if (other !== undefined) throw invalidInput([{ path: other, message: `is not known ${where}` }]);
}
