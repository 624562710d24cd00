import { readFile } from "node:fs/promises";
import { decodeText } from "../functions/wire/text.ts";

/**
 * The text of a file in UTF-8, or in UTF-16 with its byte order mark. For other bytes it throws an Error that names the
 * file and the line. Else they would silently become other characters.
 */
export async function readText(path: string): Promise<string> {
  const bytes = await readFile(path);
  return decodeText(bytes, { what: path, remedy: "Save it as UTF-8." });
}
