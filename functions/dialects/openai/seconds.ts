/** Milliseconds since 1970 as the whole seconds that OpenAI has. */
export function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
