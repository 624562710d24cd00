import { fromBase64 } from "../../wire/base64.ts";
import { textOf } from "../../wire/binary-tensor.ts";

/** MLServer's content types for BYTES that hold plain texts: from a list, a NumPy array, or a pandas column. */
const PLAIN = new Set(["str", "np", "pd"]);

/**
 * Decodes the texts of a BYTES input. Its parameter `content_type` says how MLServer's client encoded them. Throws a
 * RangeError for encodings that only MLServer can read, for invalid base64, and for base64 of something other than
 * text.
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
