/** Numbers above 0 whose sum is 1. */
export function softmax(values: Float32Array | Float64Array): number[] {
  const highest = Math.max(...values);
  const powers = Array.from(values, (value) => Math.exp(value - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
