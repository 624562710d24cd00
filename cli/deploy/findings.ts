/** What was found before a deployment. */
export interface Findings {
  /** Each with its fix. One is enough, and nothing is deployed. */
  problems: { what: string; fix: string }[];
  /** What could not be looked at, or is worth knowing. */
  notes: string[];
}

/** All problems in one list, as the message of one error. */
export function describeProblems({ problems }: Findings): string {
  const lines = problems.map(({ what, fix }) => `\n- ${what}\n  ${fix}`);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return `Nothing was deployed: ${count}.${lines.join("")}`;
}
