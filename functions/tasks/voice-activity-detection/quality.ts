import type { Quality } from "../define.ts";

/** In seconds. */
interface Span {
  start: number;
  end: number;
}

/**
 * How many seconds are heard as what they are, over all recordings: the detection error rate (seconds that are wrongly speech or wrongly
 * silence, by those of true speech), and precision, recall and their harmonic mean, as pyannote.metrics computes them without
 * a collar.
 */
export function voiceQuality(): Quality {
  return {
    // Recordings are large, and those of a prediction count together.
    rows: 1,
    lessIsBetter: ["detection_error_rate"],
    problemWith: (truth) =>
      Array.isArray(truth) && truth.every(isSpan)
        ? undefined
        : "must be an array of objects with start and end in seconds, the first below the second",
    metrics(truths, answers) {
      let [shared, spoken, found] = [0, 0, 0];
      for (const [row, truth] of truths.entries()) {
        const wanted = joined(truth as Span[]);
        const made = joined((answers[row] as { segments: Span[] }).segments);
        spoken += secondsOf(wanted);
        found += secondsOf(made);
        shared += sharedSeconds(wanted, made);
      }
      if (spoken === 0) throw new Error("The data has no speech, so there is nothing to find.");
      const precision = found === 0 ? 1 : shared / found;
      const recall = shared / spoken;
      return {
        detection_error_rate: (found - shared + (spoken - shared)) / spoken,
        f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall),
        precision,
        recall,
      };
    },
  };
}

function isSpan(value: unknown): value is Span {
  const { start, end } = (value ?? {}) as Partial<Span>;
  return typeof start === "number" && typeof end === "number" && start >= 0 && start < end;
}

/** In order, and each second once. */
function joined(spans: readonly Span[]): Span[] {
  const all: Span[] = [];
  for (const { start, end } of spans.toSorted((one, other) => one.start - other.start)) {
    const last = all.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else all.push({ start, end });
  }
  return all;
}

function secondsOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { start, end }) => sum + end - start, 0);
}

function sharedSeconds(wanted: readonly Span[], made: readonly Span[]): number {
  let [sum, at] = [0, 0];
  for (const { start, end } of wanted) {
    while (at < made.length && made[at]!.end <= start) at++;
    for (let next = at; next < made.length && made[next]!.start < end; next++)
      sum += Math.min(end, made[next]!.end) - Math.max(start, made[next]!.start);
  }
  return sum;
}
