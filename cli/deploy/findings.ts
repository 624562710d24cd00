/** The results of the checks before a deployment. */
export interface Findings {
  /** Each has its fix. A single one stops the deployment. */
  problems: { what: string; fix: string }[];
  /** Things that could not be checked, or are good to know. */
  notes: string[];
}

/** All problems as one list, for the message of one error. */
export function describeProblems({ problems }: Findings): string {
  const lines = problems.map(({ what, fix }) => `\n- ${what}\n  ${fix}`);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return `Nothing was deployed: ${count}.${lines.join("")}`;
}
