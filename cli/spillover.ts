import { fileBytesOf } from "../functions/model/session-bytes.ts";
import { SESSION_BUDGETS_MB } from "../functions/platform/session-budgets.ts";
import { figuresOf, forwardMs } from "./cost/figures-of.ts";
import { spilledPerMillion } from "./cost/spilled.ts";
import type { LocalPackage } from "./package-folder.ts";

const MIB = 1024 * 1024;

/** A version that a Worker has answered elsewhere (docs/spillover.md). */
export interface Spillover {
  /** Bytes of the artifact with its weights. */
  bytes: number;
  /** The most that a Worker loads. */
  limit: number;
  /** US dollars for a million calls that a Worker forwards to Lambda, in us-east-1 without free tiers. */
  dollarsPerMillion: number;
}

/** The most bytes of a version that a Worker loads, by its `SESSION_BUDGET_MB`. */
export function workerBudget(budgetMb = SESSION_BUDGETS_MB.cloudflare): number {
  return Math.floor(budgetMb * MIB);
}

/** What a call of a version costs that is too large for a Worker. Undefined for one that a Worker loads. Measures it here. */
export async function spilloverOf(local: LocalPackage): Promise<Spillover | undefined> {
  const [bytes, limit] = [fileBytesOf(local.manifest), workerBudget()];
  if (bytes <= limit) return undefined;
  const figures = await figuresOf(local, { measure: false, withoutWorker: true });
  return { bytes, limit, dollarsPerMillion: spilledPerMillion(figures, await forwardMs()) };
}
