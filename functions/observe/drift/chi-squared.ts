/** The chance that a chi-squared variable with these degrees of freedom is above `value`. */
export function chiSquaredAbove(value: number, degrees: number): number {
  if (value <= 0) return 1;
  return upperGamma(degrees / 2, value / 2);
}

/** The value that a chi-squared variable exceeds with this chance. */
export function chiSquaredQuantile(chance: number, degrees: number): number {
  let low = 0;
  let high = degrees + 10;
  while (chiSquaredAbove(high, degrees) > chance) high *= 2;
  for (let step = 0; step < 100 && high - low > 1e-13 * high; step++) {
    const middle = (low + high) / 2;
    if (chiSquaredAbove(middle, degrees) > chance) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The regularised upper incomplete gamma function (Numerical Recipes, section 6.2). */
function upperGamma(a: number, x: number): number {
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a));
  return x < a + 1 ? 1 - scale * series(a, x) : scale * continuedFraction(a, x);
}

const PRECISION = 1e-16;

function series(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; term > sum * PRECISION; n++) sum += term *= x / (a + n);
  return sum;
}

function continuedFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let result = d;
  for (let n = 1; n < 1000; n++) {
    const factor = n * (a - n);
    b += 2;
    d = 1 / (factor * d + b);
    c = b + factor / c;
    result *= c * d;
    if (Math.abs(c * d - 1) < PRECISION * 10) break;
  }
  return result;
}

const LANCZOS = [
  0.999_999_999_999_809_9, 676.520_368_121_885_1, -1259.139_216_722_402_8, 771.323_428_777_653_1,
  -176.615_029_162_140_6, 12.507_343_278_686_905, -0.138_571_095_265_720_12,
  9.984_369_578_019_572e-6, 1.505_632_735_149_311_6e-7,
];

/** The logarithm of the gamma function for numbers from a half on, by Lanczos. */
function logGamma(number: number): number {
  const x = number - 1;
  const t = x + 7.5;
  const sum = LANCZOS.reduce((total, part, n) => total + (n === 0 ? part : part / (x + n)), 0);
  return 0.5 * Math.log(2 * Math.PI) + (x + 0.5) * Math.log(t) - t + Math.log(sum);
}
