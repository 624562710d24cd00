import type { Manifest } from "./manifest.ts";

type Example = Manifest["examples"][number];

/** Most bytes of JSON that the examples of one version take where models are described. */
const SHOWN_BYTES = 32 * 1024;

/** The examples that are small enough to lie in a manifest and to be shown with it, in their order. */
export function shownExamples(examples: readonly Example[]): Example[] {
  let left = SHOWN_BYTES;
  return examples.filter((example) => {
    const bytes = jsonBytes(example);
    if (bytes > left) return false;
    left -= bytes;
    return true;
  });
}

const LONGEST_DESCRIPTION = 1000;

/** A model's description of itself, cut where it is a whole page. */
export function shownDescription(text: string): string {
  return text.length > LONGEST_DESCRIPTION ? `${text.slice(0, LONGEST_DESCRIPTION)}…` : text;
}

/** The length of a value as JSON, in bytes of UTF-8. */
export function jsonBytes(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value) ?? "").byteLength;
}
