/** The signed header of a spilled request. */
export const SPILL_HEADER = "X-Nearcast-Spill";
