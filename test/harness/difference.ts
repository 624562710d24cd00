/**
 * The largest difference between the numbers of two answers; Infinity when anything else in them, a label,
 * an id or the shape, is not equal.
 */
export function largestDifference(one: unknown, other: unknown): number {
  if (typeof one === "number" && typeof other === "number") return Math.abs(one - other);
  if (typeof one !== "object" || one === null || typeof other !== "object" || other === null)
    return one === other ? 0 : Infinity;
  const [a, b] = [one as Record<string, unknown>, other as Record<string, unknown>];
  if (Object.keys(a).length !== Object.keys(b).length) return Infinity;
  return Object.keys(a).reduce(
    (largest, key) => Math.max(largest, key in b ? largestDifference(a[key], b[key]) : Infinity),
    0,
  );
}
