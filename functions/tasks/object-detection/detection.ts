/** The corners of a box. */
export interface Box {
  xmin: number;
  ymin: number;
  xmax: number;
  ymax: number;
}

/** A thing in a picture, as Hugging Face's specification has it: its box is in whole pixels of the picture. */
export interface Detection {
  label: string;
  score: number;
  box: Box;
}

/** What two boxes share of what both cover together: 0 to 1. */
export function overlapOf(one: Box, other: Box): number {
  const width = Math.min(one.xmax, other.xmax) - Math.max(one.xmin, other.xmin);
  const height = Math.min(one.ymax, other.ymax) - Math.max(one.ymin, other.ymin);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (areaOf(one) + areaOf(other) - shared);
}

function areaOf({ xmin, ymin, xmax, ymax }: Box): number {
  return (xmax - xmin) * (ymax - ymin);
}
