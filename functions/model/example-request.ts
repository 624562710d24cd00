import type { Manifest } from "./manifest.ts";

export const KEY_HEADER = `-H "Authorization: Bearer $KEY"`;

/** A model with its examples. */
export type Exemplified = Pick<Manifest, "name" | "examples">;

/**
 * A `curl` command over several lines that one of the models answers. Undefined when no model has an example short
 * enough to paste.
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

/** The longest example to show, in characters. Longer ones, such as an image's, are not for a terminal. */
const LONGEST_EXAMPLE = 400;

/**
 * Takes each model's first short example, and gives the shortest of them. Prefers examples with named values: they show
 * what the values mean.
 */
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

/**
 * JSON in one line, with spaces as people write it. Line breaks inside strings are escaped, so that all others can be
 * replaced.
 */
function spaced(value: unknown): string {
  return JSON.stringify(value, undefined, 1)
    .replaceAll(/([[{])\n */g, "$1")
    .replaceAll(/\n *([\]}])/g, "$1")
    .replaceAll(/\n */g, " ");
}
