/** The most that one request may send. A model's manifest can lower each. */
export interface Limits {
  /** Bytes of the body, after decompression. */
  bodyBytes: number;
  /** Inputs in one request. */
  batch: number;
  /** UTF-16 code units of one text. */
  textLength: number;
  /** Pixels the images of one request may decode to. */
  imagePixels: number;
  /** Elements of the tensors of one request, of which a graph is asked without its task. */
  elements: number;
  /**
   * Rows × the square of the longest dimension that a manifest leaves without a bound: the pairs of positions that
   * attention compares.
   */
  positionPairs: number;
  /** Bytes of one answer. */
  answerBytes: number;
}

/** The deployment's limits, with a model's own where they are lower. */
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
    elements: lower("elements"),
    positionPairs: lower("positionPairs"),
    answerBytes: lower("answerBytes"),
  };
}
