import type { Manifest } from "./manifest.ts";

type Example = Manifest["examples"][number];

/** Most bytes of JSON for the examples of one version in a model's description. */
const SHOWN_BYTES = 32 * 1024;

/** The examples that are small enough for a manifest and its description, in their order. */
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

/** A model's description, cut when it is as long as a page. */
export function shownDescription(text: string): string {
  return text.length > LONGEST_DESCRIPTION ? `${text.slice(0, LONGEST_DESCRIPTION)}…` : text;
}

/** The length of a value as JSON, in bytes of UTF-8. */
export function jsonBytes(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value) ?? "").byteLength;
}
