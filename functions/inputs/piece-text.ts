import { NearcastError } from "../errors.ts";
import { decodeText, markedEncoding } from "../wire/text.ts";

/** The text of a piece of a file in UTF-8. Throws `malformed_request` for other bytes, with the line. */
export function pieceText(bytes: Uint8Array, firstLine: number): string {
  if (firstLine === 1 && markedEncoding(bytes) !== undefined) throw notUtf8("is UTF-16");
  try {
    return decodeText(bytes, { what: "The file" });
  } catch (error) {
    const [, line] = /on line (\d+)/.exec((error as Error).message) ?? [];
    throw notUtf8(`has other bytes on line ${Number(line ?? 1) + firstLine - 1}`);
  }
}

function notUtf8(why: string): NearcastError {
  return new NearcastError("malformed_request", `The file must be UTF-8, and it ${why}.`);
}
