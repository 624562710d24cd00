/** The share of rows where at least one of the held-out items was recommended. */
export function hitRate(heldOut: readonly string[][], answers: readonly string[][]): number {
  const hits = heldOut.filter((items, row) => items.some((item) => answers[row]?.includes(item)));
  return hits.length / heldOut.length;
}
