/** Something that a check has found. */
export interface Finding {
  /** Does not work, or lets in who should not be; works, but should be otherwise; could not be looked at. */
  level: "wrong" | "unwise" | "note";
  /** What was looked at: a file, a bucket, a URL. */
  where: string;
  what: string;
  /** What to do about it. Notes need none. */
  fix?: string;
}

/** Makes the findings of one place. */
export function findingsAt(where: string) {
  return {
    wrong: (what: string, fix: string): Finding => ({ level: "wrong", where, what, fix }),
    unwise: (what: string, fix: string): Finding => ({ level: "unwise", where, what, fix }),
    note: (what: string): Finding => ({ level: "note", where, what }),
  };
}
