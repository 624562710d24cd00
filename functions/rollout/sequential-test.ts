/** How strongly the prior of {@link logEvidence} holds to the expected share. */
const CONCENTRATION = 2;

/** Events of two kinds in one segment of time. */
export interface Split {
  /** How many were the candidate's. */
  own: number;
  /** How many were not. */
  others: number;
  /** The candidate's share of them if it is no different, between 0 and 1. */
  share: number;
}

/**
 * The logarithm of the evidence that events fall to the candidate otherwise than by its share (Lindon and Malek,
 * "Anytime-valid inference for multinomial count data", arXiv 2011.03567). If it is no different, the evidence reaches
 * 1/α at any time with a chance of at most α: it may be looked at as often as one likes. 0 where the share is 0 or 1,
 * since nothing can be compared then.
 *
 * @example logEvidence({ own: 9, others: 1, share: 0.1 }) // 14.98…
 */
export function logEvidence({ own, others, share }: Split, k: number = CONCENTRATION): number {
  if (!(share > 0 && share < 1) || own + others === 0) return 0;
  const [a, b] = [k * share, k * (1 - share)];
  return (
    logBeta(a + own, b + others) -
    logBeta(a, b) -
    own * Math.log(share) -
    others * Math.log1p(-share)
  );
}

/**
 * Whether the candidate has more of the events than its share, with a chance of at most `alpha` of saying so falsely at
 * any time. The evidence of segments with different shares multiplies.
 */
export function hasMore(segments: readonly Split[], alpha: number): boolean {
  let evidence = 0;
  let own = 0;
  let expected = 0;
  for (const segment of segments) {
    evidence += logEvidence(segment);
    own += segment.own;
    expected += (segment.own + segment.others) * segment.share;
  }
  return own > expected && evidence >= -Math.log(alpha);
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/** Where Stirling's series has 16 digits. */
const LARGE = 10;
const HALF_LOG_TAU = Math.log(2 * Math.PI) / 2;

/** The logarithm of the gamma function of a positive number: Stirling's series, after a shift to where it is exact. */
function logGamma(x: number): number {
  let shift = 1;
  let z = x;
  for (; z < LARGE; z += 1) shift *= z;
  const inverse = 1 / (z * z);
  const series =
    (1 / 12 -
      inverse *
        (1 / 360 -
          inverse *
            (1 / 1260 -
              inverse *
                (1 / 1680 - inverse * (1 / 1188 - inverse * (691 / 360_360 - inverse / 156)))))) /
    z;
  return (z - 0.5) * Math.log(z) - z + HALF_LOG_TAU + series - Math.log(shift);
}
