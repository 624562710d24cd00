import type { Manifest } from "./manifest.ts";

export const KEY_HEADER = `-H "Authorization: Bearer $KEY"`;

/** A model with its examples. */
export type Exemplified = Pick<Manifest, "name" | "examples">;

/**
 * A `curl` command that one of the models answers, over several lines; undefined where none has an example that is
 * short enough to paste.
 */
export function exampleRequest(
  url: string,
  models: readonly Exemplified[],
  { isKeyed }: { isKeyed: boolean },
): string | undefined {
  const example = findExample(models);
  if (!example) return undefined;
  const words = [
    `curl ${url}/v1/models/${example.model}/predict -H 'Content-Type: application/json'`,
    ...(isKeyed ? [KEY_HEADER] : []),
    `-d '${spaced({ inputs: example.input }).replaceAll("'", String.raw`'\''`)}'`,
  ];
  return words.join(" \\\n  ");
}

/** Longer ones, such as an image's, are not for a terminal. */
const LONGEST_EXAMPLE = 300;

/** The shortest of each model's first short example. One with named values goes before: it shows what they mean. */
export function findExample(
  models: readonly Exemplified[],
): { model: string; input: unknown } | undefined {
  return models
    .flatMap(({ name, examples }) => {
      const short = examples.find(({ input }) => JSON.stringify(input)?.length <= LONGEST_EXAMPLE);
      return short ? [{ model: name, input: short.input }] : [];
    })
    .toSorted((one, other) => rank(one.input) - rank(other.input))[0];
}

function rank(input: unknown): number {
  const named = typeof input === "object" && !Array.isArray(input);
  return JSON.stringify(input).length + (named ? 0 : LONGEST_EXAMPLE);
}

/** JSON in one line, with spaces as people write it. A string has no line break in it that is not escaped. */
function spaced(value: unknown): string {
  return JSON.stringify(value, undefined, 1)
    .replaceAll(/([[{])\n */g, "$1")
    .replaceAll(/\n *([\]}])/g, "$1")
    .replaceAll(/\n */g, " ");
}
