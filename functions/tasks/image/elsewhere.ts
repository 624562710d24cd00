import type { ImageOptions } from "./options.ts";
import type { Pixels } from "./pixels.ts";

/** The file of an image, and what its model's manifest says of images. */
export interface ImageWork {
  file: Uint8Array;
  image: ImageOptions;
}

/**
 * Decodes an image in another thread, to the size and the colours that the model takes. It was opened before, and is not
 * too large. Rejects with a RangeError as decoding does.
 */
export type DecodeElsewhere = (work: ImageWork) => Promise<Pixels>;
