import { fromBase64 } from "../../wire/base64.ts";
import { textOf } from "../../wire/binary-tensor.ts";

/** MLServer's names for BYTES that are texts as they stand: of a list, of a NumPy array, of a column of pandas. */
const PLAIN = new Set(["str", "np", "pd"]);

/**
 * The texts of a BYTES input whose parameter `content_type` says how MLServer's client encoded them. Throws a
 * RangeError for encodings whose meaning only MLServer knows, and for base64 that is none or no text.
 */
export function textsOf(elements: string[], contentType: string | null | undefined): string[] {
  if (!contentType || PLAIN.has(contentType)) return elements;
  if (contentType === "base64") return elements.map(decoded);
  throw new RangeError(
    `has the content_type ${contentType}: BYTES may have ${[...PLAIN].join(", ")} or base64`,
  );
}

function decoded(element: string, index: number): string {
  let bytes: Uint8Array;
  try {
    bytes = fromBase64(element);
  } catch {
    throw new RangeError(`element ${index} must be base64, as its content_type says`);
  }
  return textOf(bytes);
}
