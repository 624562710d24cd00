/** The answer of a classification. */
export interface Classification {
  /** The graph's own label. Without one, the label with the highest score. */
  label?: string;
  /** For independent labels: all that the graph reports. */
  labels?: string[];
  /** The probability of the label. */
  score?: number;
  /**
   * Probabilities by label: all of them, or the `top_k` highest. The highest comes first, except that labels which are
   * whole numbers come before all others, in their own order, as in every JavaScript object.
   */
  scores?: Record<string, number>;
  /**
   * For a model without probabilities: its decision values by label, in the order of `scores`. With two labels, only
   * the second has a value. It is above 0 when that label is the answer.
   */
  decision_values?: Record<string, number>;
}
