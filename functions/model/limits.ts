/** The most that one request may send; a model's manifest can tighten each. */
export interface Limits {
  /** Bytes of the body, after decompression. */
  bodyBytes: number;
  /** Inputs in one request. */
  batch: number;
  /** UTF-16 code units of one text. */
  textLength: number;
  /** Pixels the images of one request may decode to. */
  imagePixels: number;
}

/** The deployment's limits, or a model's own where those are lower. */
export function tightened(
  limits: Limits,
  own: { [Name in keyof Limits]?: number | undefined } = {},
): Limits {
  const lower = (name: keyof Limits) => Math.min(limits[name], own[name] ?? Infinity);
  return {
    bodyBytes: lower("bodyBytes"),
    batch: lower("batch"),
    textLength: lower("textLength"),
    imagePixels: lower("imagePixels"),
  };
}
