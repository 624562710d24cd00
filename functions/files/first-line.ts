import { concatenate } from "../concatenate.ts";
import { NearcastError } from "../errors.ts";
import { parseJsonText } from "../wire/json.ts";
import { decodeText } from "../wire/text.ts";

const LINE_FEED = 0x0a;

/**
 * Passes a file's bytes on, and looks at its first line. Rejects with `malformed_request` or `malformed_json` where that is
 * no JSON object of at most `lineBytes`: the file is something else than JSONL.
 */
export async function* withFirstLine(
  pieces: AsyncIterable<Uint8Array>,
  lineBytes: number,
): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] | undefined = [];
  let size = 0;
  for await (const piece of pieces) {
    if (held) {
      const end = piece.indexOf(LINE_FEED);
      const part = end === -1 ? piece : piece.subarray(0, end);
      held.push(part);
      size += part.byteLength;
      if (size > lineBytes)
        throw new NearcastError(
          "malformed_request",
          `Line 1 of the file has more than ${lineBytes} bytes.`,
        );
      if (end !== -1) {
        checkLine(held);
        held = undefined;
      }
    }
    yield piece;
  }
  if (held && size > 0) checkLine(held);
}

function checkLine(parts: readonly Uint8Array[]): void {
  const text = decodeText(concatenate(parts), { what: "The file", remedy: "Send JSONL in UTF-8." });
  const value = parseJsonText(text, "Line 1 of the file");
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new NearcastError(
      "malformed_request",
      "The file is not JSONL: a line must be an object, as the first one is not.",
    );
}
