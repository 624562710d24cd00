/** A bank of triangular filters. Each holds its weights from its first bin of the spectrum on. */
export interface MelFilters {
  /** Writes the sum of each filter over a power spectrum. */
  apply(power: Float64Array, into: Float64Array): void;
}

interface Bank {
  bins: number;
  fftSize: number;
  rate: number;
}

const melOf = (hertz: number) => 1127 * Math.log(1 + hertz / 700);

/** Kaldi's filters, from 20 Hz to half the rate: triangles on the mel scale. */
export function kaldiFilters({ bins, fftSize, rate }: Bank): MelFilters {
  const low = melOf(20);
  const step = (melOf(rate / 2) - low) / (bins + 1);
  const points = Array.from({ length: bins + 2 }, (_, index) => low + index * step);
  // Kaldi leaves out the bin at half the rate.
  return filtersOf(
    points,
    fftSize / 2,
    (bin) => melOf((bin * rate) / fftSize),
    () => 1,
  );
}

const LINEAR_TO = 1000;
const HERTZ_PER_MEL = 200 / 3;
const LOG_STEP = Math.log(6.4) / 27;

/** Slaney's filters, from 0 to 8,000 Hz as Whisper has them: triangles in hertz, each of the same area. */
export function slaneyFilters({ bins, fftSize, rate }: Bank): MelFilters {
  const linearMels = LINEAR_TO / HERTZ_PER_MEL;
  const hertzOf = (mel: number) =>
    mel < linearMels ? mel * HERTZ_PER_MEL : LINEAR_TO * Math.exp(LOG_STEP * (mel - linearMels));
  const highest = linearMels + Math.log(8000 / LINEAR_TO) / LOG_STEP;
  const points = Array.from({ length: bins + 2 }, (_, index) =>
    hertzOf((index * highest) / (bins + 1)),
  );
  return filtersOf(
    points,
    fftSize / 2 + 1,
    (bin) => (bin * rate) / fftSize,
    (from, to) => 2 / (to - from),
  );
}

function filtersOf(
  points: readonly number[],
  width: number,
  placeOf: (bin: number) => number,
  heightOf: (from: number, to: number) => number,
): MelFilters {
  const filters = points.slice(2).map((to, index) => {
    const [from, peak] = [points[index] as number, points[index + 1] as number];
    const weights: number[] = [];
    let first = 0;
    for (let bin = 0; bin < width; bin++) {
      const place = placeOf(bin);
      const weight = Math.min((place - from) / (peak - from), (to - place) / (to - peak));
      if (weight <= 0) continue;
      if (weights.length === 0) first = bin;
      weights.push(weight * heightOf(from, to));
    }
    return { first, weights: Float64Array.from(weights) };
  });
  return {
    apply(power, into) {
      for (let index = 0; index < filters.length; index++) {
        const { first, weights } = filters[index] as (typeof filters)[number];
        let sum = 0;
        for (let bin = 0; bin < weights.length; bin++)
          sum += (weights[bin] as number) * (power[first + bin] as number);
        into[index] = sum;
      }
    },
  };
}
