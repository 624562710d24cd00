import type { Size } from "../image/fit.ts";

/** The number of pixels that belong to no segment. */
export const NONE = 0xffff;

/** The longest edge of a picture. Where each of its pixels lies must fit into memory, also of a picture that is a line. */
export const LONGEST_EDGE = 65_535;

/** Which segment each pixel of a picture belongs to, by its number. Rows from the top. */
export interface SegmentMap extends Size {
  numbers: Uint16Array;
}

/** A part of a picture. */
export interface Segment {
  /** Its pixels have this number. */
  number: number;
  label: string;
  score?: number;
}

/** COCO's run-length code of a mask, compressed: `pycocotools.mask.decode` reads it. */
export interface Rle {
  size: [height: number, width: number];
  counts: string;
}

/** An item of the answer, as Hugging Face's specification has it where the mask is a PNG in base64. */
export interface SegmentAnswer {
  label: string;
  score?: number;
  mask: string | Rle;
}
