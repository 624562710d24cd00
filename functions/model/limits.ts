/** The most that one request may send. A model's manifest can lower each limit. */
export interface Limits {
  /** Bytes of the body, after decompression. */
  bodyBytes: number;
  /** Inputs in one request. */
  batch: number;
  /** UTF-16 code units of one text. */
  textLength: number;
  /** Decoded pixels of all images in one request. */
  imagePixels: number;
  /** Seconds that all recordings in one request last together. */
  audioSeconds: number;
  /** Elements of all tensors in one request, when a client sends tensors. */
  elements: number;
  /**
   * Pairs of positions, as attention compares them: rows × the square of the longest dimension without a bound in the
   * manifest.
   */
  positionPairs: number;
  /** Bytes of one answer. */
  answerBytes: number;
}

/** The deployment's limits, or the model's own where those are lower. */
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
    audioSeconds: lower("audioSeconds"),
    elements: lower("elements"),
    positionPairs: lower("positionPairs"),
    answerBytes: lower("answerBytes"),
  };
}
