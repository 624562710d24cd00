/** What was counted less often is not shown, nor what is made of it: it could tell of a person. */
export const FEWEST_SHOWN = 5;
