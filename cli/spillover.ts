import { tooLarge, type Room, type TooLarge } from "../functions/model/too-large.ts";
import { SESSION_BUDGETS_MB, WORKER_ISOLATE } from "../functions/platform/session-budgets.ts";
import { figuresOf, forwardMs } from "./cost/figures-of.ts";
import { spilledPerMillion } from "./cost/spilled.ts";
import { mebibytes } from "./fit.ts";
import type { LocalPackage } from "./package-folder.ts";

const MIB = 1024 * 1024;

/** A version that a Worker has answered elsewhere (docs/spillover.md): what exceeds the Worker's room. */
export interface Spillover extends TooLarge {
  /** US dollars for a million calls that a Worker forwards to Lambda, in us-east-1 without free tiers. */
  dollarsPerMillion: number;
}

/** The room that a Worker has for a version, by its `SESSION_BUDGET_MB`. */
export function workerRoom(budgetMb = SESSION_BUDGETS_MB.cloudflare): Room {
  return { sessionBudgetBytes: Math.floor(budgetMb * MIB), isolate: WORKER_ISOLATE };
}

/** What a call of a version costs that is too large for a Worker. Undefined for one that a Worker loads. Measures it here. */
export async function spilloverOf(local: LocalPackage): Promise<Spillover | undefined> {
  const over = tooLarge(local.manifest, workerRoom());
  if (!over) return undefined;
  const figures = await figuresOf(local, { measure: false, withoutWorker: true });
  return { ...over, dollarsPerMillion: spilledPerMillion(figures, await forwardMs()) };
}

/** Says what exceeds the room. */
export function describeTooLarge({ what, bytes, limit, isEstimate }: TooLarge): string {
  const takes = what === "files" ? "take" : "takes";
  return `its ${what} ${takes} ${mebibytes(bytes)} of ${mebibytes(limit)}${isEstimate ? " by an estimate: nearcast verify --record writes what is measured" : ""}`;
}
