/** The characters of a file, one on each line. A line may be a space. Throws an Error for bytes that are not UTF-8. */
export function charactersIn(bytes: Uint8Array): string[] {
  // Some character sets begin with a byte order mark as a character.
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  return text.replace(/\n$/, "").split("\n");
}

/** The file of these characters. */
export function charactersFile(characters: readonly string[]): Uint8Array {
  return new TextEncoder().encode(`${characters.join("\n")}\n`);
}
