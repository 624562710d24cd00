/** What is known of an image before it is decoded. */
export interface ImageSize {
  /** `JPEG`, `PNG` or `WebP`. */
  format: string;
  width: number;
  height: number;
  /** Bytes of its file. */
  bytes: number;
  /** How many times as long it takes as a plain image of its size. */
  effort: number;
  /** How often its file goes over all pixels. */
  scans: number;
}

/** What the images of one request may cost, and have cost. */
export interface PixelBudget {
  /** Counts an image. Throws a RangeError for one too many. Its message continues the name of the input. */
  take(image: ImageSize): void;
}

/**
 * A request may have so many pixels, whatever its bytes: less than a quarter of a second of work. More need bytes, or a
 * few kilobytes of nothing would cost as much as a photo. Photos have up to 30 pixels a byte.
 */
const FREE_PIXELS = 4_200_000;
const MOST_PIXELS_PER_BYTE = 64;
/**
 * The most pixels in all scans together. Encoders make up to 18 of an image. A scan of a few bytes visits every block
 * of the image, so that a small file of many could take seconds.
 */
const MOST_SCANNED_PIXELS = 240_000_000;
/** So many are free, and more need bytes: photos have less than a hundred a byte. */
const FREE_SCANNED_PIXELS = 42_000_000;
const MOST_SCANNED_PER_BYTE = 640;

/** `sentBytes`: how many bytes of the request came. What was compressed on its way does not count as more. */
export function createPixelBudget({
  maxPixels,
  sentBytes = Infinity,
}: {
  maxPixels: number;
  sentBytes?: number | undefined;
}): PixelBudget {
  let [used, worked, scanned, fileBytes] = [0, 0, 0, 0];

  return {
    take({ format, width, height, bytes, effort, scans }) {
      const pixels = width * height;
      const is = `is a ${format} image of ${width} × ${height} = ${pixels} pixels`;
      if (used + pixels > maxPixels) {
        const before = used > 0 ? `, and those before it have ${used}` : "";
        throw new RangeError(
          `${is}${before}; a request may have ${maxPixels} (MAX_IMAGE_PIXELS, or the model's limits.imagePixels): make it smaller`,
        );
      }
      used += pixels;
      worked += pixels * effort;
      scanned += pixels * scans;
      fileBytes += bytes;
      const paid = Math.min(fileBytes, sentBytes);
      const mostScanned = Math.max(FREE_SCANNED_PIXELS, paid * MOST_SCANNED_PER_BYTE);
      if (scanned > Math.min(MOST_SCANNED_PIXELS, mostScanned))
        throw new RangeError(
          `is a ${format} image of ${scans} scans, too many for its size: save it as a baseline JPEG`,
        );
      if (worked > Math.max(FREE_PIXELS, paid * MOST_PIXELS_PER_BYTE)) {
        const all = used > pixels ? ` (${used} with those before it)` : "";
        const free = Math.floor(FREE_PIXELS / effort);
        const perByte = Math.floor(MOST_PIXELS_PER_BYTE / effort);
        throw new RangeError(
          `${is}${all} in ${paid} bytes; more than ${free} pixels need a byte for each ${perByte}: make it smaller, or send it without Content-Encoding`,
        );
      }
    },
  };
}
