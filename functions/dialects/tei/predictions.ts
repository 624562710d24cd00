import { invalidInput } from "../../errors.ts";

/**
 * Reads TEI's inputs: a text, an array of one text or of two that belong together, or an array of such arrays. Throws
 * `invalid_input`.
 */
export function readSequences(inputs: string | unknown[]): { inputs: unknown[]; isBatch: boolean } {
  if (typeof inputs === "string") return { inputs: [inputs], isBatch: false };
  if (!Array.isArray(inputs[0]))
    return { inputs: [readSequence(inputs, "inputs")], isBatch: false };
  return {
    inputs: inputs.map((one, index) => readSequence(one, `inputs[${index}]`)),
    isBatch: true,
  };
}

function readSequence(sequence: unknown, path: string): unknown {
  const texts: unknown[] = Array.isArray(sequence) ? sequence : [];
  const isRight = texts.length === 1 || texts.length === 2;
  if (!isRight || texts.some((text) => typeof text !== "string"))
    throw invalidInput([{ path, message: "must be an array of one or two strings" }]);
  return texts.length === 1 ? texts[0] : { text: texts[0], text_pair: texts[1] };
}
