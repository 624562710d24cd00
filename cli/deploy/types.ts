import type { Findings } from "./findings.ts";

export interface DeployOptions {
  models: string;
  entry: string | undefined;
  /** Models whose artifacts travel in the function's package. */
  packaged?: readonly string[];
  /** The store of the deployed function. When absent, its configuration decides. */
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
