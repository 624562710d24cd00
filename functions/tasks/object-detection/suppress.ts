import type { Parts } from "../define.ts";
import { overlapOf, type Box } from "./detection.ts";

/** A box that a head gives, in pixels of the graph's input. */
export interface Candidate {
  /** The label's number. */
  label: number;
  score: number;
  box: Box;
}

/**
 * The indexes of the highest scores above `threshold`, the highest first. Of equal ones, the first are taken. Takes time
 * for each score once, and more only for the `most` that it gives.
 */
export function highest(scores: Float32Array, threshold: number, most: number): number[] {
  // In 32 bits as the scores are: 0.3 is not above 0.3.
  const bound = Math.fround(threshold);
  let indexes: number[] = [];
  for (let index = 0; index < scores.length; index++)
    if (scores[index]! > bound) indexes.push(index);
  if (indexes.length > most) {
    const sorted = Float32Array.from(indexes, (index) => scores[index]!).sort();
    const least = sorted[sorted.length - most]!;
    let equals = most - (sorted.length - 1 - sorted.lastIndexOf(least));
    indexes = indexes.filter(
      (index) => scores[index]! > least || (scores[index] === least && equals-- > 0),
    );
  }
  return indexes.sort((one, other) => scores[other]! - scores[one]! || one - other);
}

/** Others take turns after so many comparisons: some milliseconds. */
const COMPARISONS_AT_ONCE = 500_000;

/**
 * Leaves out each box that overlaps an earlier one of its label by more than `iou`. `candidates` come with the highest
 * score first. Ends with `most` boxes, so each candidate is compared with fewer than that. Works in parts.
 */
export function* suppress(
  candidates: Iterable<Candidate>,
  { iou, most }: { iou: number; most: number },
): Parts<Candidate[]> {
  const kept: Candidate[] = [];
  let compared = 0;
  for (const candidate of candidates) {
    if (kept.length === most) break;
    const isNew = kept.every(
      ({ label, box }) => label !== candidate.label || !(overlapOf(box, candidate.box) > iou),
    );
    if (isNew) kept.push(candidate);
    // Making a candidate takes about as long as some comparisons.
    compared += kept.length + 10;
    if (compared < COMPARISONS_AT_ONCE) continue;
    compared = 0;
    yield;
  }
  return kept;
}
