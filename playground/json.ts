/** JSON in one line, with spaces as people write it. Line breaks inside strings are escaped. */
export function spaced(value: unknown): string {
  return (JSON.stringify(value, undefined, 1) ?? "null")
    .replaceAll(/([[{])\n */g, "$1")
    .replaceAll(/\n *([\]}])/g, "$1")
    .replaceAll(/\n */g, " ");
}

/** Why a text is no JSON. Undefined if it is. */
export function jsonMistake(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return `This is no JSON: ${(error as Error).message}`;
  }
}
