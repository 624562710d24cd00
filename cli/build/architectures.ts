/** Lambda's processors, by Node's names for them. */
export const ARCHITECTURES = ["x64", "arm64"] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** The processor that a person, or Docker (`amd64`), names. Throws an Error for another. */
export function architectureOf(text: string): Architecture {
  const found = ARCHITECTURES.find((name) => name === text.replace("amd64", "x64"));
  if (!found)
    throw new Error(
      `There is no architecture ${JSON.stringify(text)} here; there are ${ARCHITECTURES.join(" and ")}.`,
    );
  return found;
}
