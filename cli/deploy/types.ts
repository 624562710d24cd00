import type { Findings } from "./findings.ts";

export interface DeployOptions {
  models: string;
  entry: string | undefined;
  /** Where the deployed function reads its models; what its configuration says when absent. */
  store: string | undefined;
  stage: string | undefined;
  dryRun: boolean;
  /** Arguments for wrangler or osls. */
  others: readonly string[];
}

export interface Deployment {
  findings: Findings;
  run: () => Promise<void>;
}
