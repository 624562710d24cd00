import type { Findings } from "./findings.ts";

export interface DeployOptions {
  models: string;
  entry: string | undefined;
  /** Models whose artifacts travel in the function's package. */
  packaged?: readonly string[];
  /** The store of the deployed function. When absent, its configuration decides. */
  store: string | undefined;
  stage: string | undefined;
  /** Names the new deployment, as its `DEPLOYMENT_ID`. */
  id: string;
  dryRun: boolean;
  /** Arguments for wrangler or osls. */
  others: readonly string[];
}

export interface Deployment {
  findings: Findings;
  /** Deploys to one place or several, and adds each as soon as it is deployed. In a dry run it only packages. */
  run: (deployed: Deployed[]) => Promise<void>;
}

/** What is deployed now, in one place. */
export interface Deployed {
  /** Undefined if the tool does not say it. */
  url: string | undefined;
  /** The name that its answers have. Undefined if its configuration passes none on. */
  id?: string | undefined;
  /** Asks its store what is released, by model. Undefined if the store cannot be asked. */
  released?: (() => Promise<ReadonlyMap<string, string>>) | undefined;
  /** Brings back what was deployed before. Undefined if there is no such thing, or more than one. */
  goBack: (() => Promise<void>) | undefined;
}
