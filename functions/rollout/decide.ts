import {
  isOnTrial,
  percentOf,
  type Candidate,
  type Release,
  type Segment,
} from "../model/release.ts";
import { DEFAULT_POLICY, type Policy } from "../model/release-policy.ts";
import type { DropReason } from "../observe/observer.ts";
import {
  bucketBound,
  type Copies,
  type Evidence,
  type SegmentCounts,
  type VersionCounts,
} from "./evidence.ts";
import { hasMore, type Split } from "./sequential-test.ts";

/** What to do with a candidate: take it back, or let its share grow. */
export type Decision =
  | { kind: "rollback"; version: string; reason: string }
  | { kind: "step"; version: string; percent: number; reason: string };

/** The slowest answers that latency is judged by: one in twenty of stable's takes longer. */
const SLOW_SHARE = 0.05;
/** Stable needs so many answers before its slow ones are known. */
const MIN_LATENCIES = 200;
/** An observed share this many standard deviations from the set one is no accident: few callers send most requests. */
const DEVIATIONS = 4;

/** What the evidence calls for now. Undefined when everything stays. At most one change at a time, rollbacks first. */
export function decide(
  release: Release,
  evidence: ReadonlyMap<string, Evidence>,
  now: number,
): Decision | undefined {
  const policy = release.policy ?? DEFAULT_POLICY;
  const tried = release.candidates.filter(isOnTrial);
  for (const { version } of tried) {
    const reason = reasonToTakeBack(evidence.get(version) ?? [], policy);
    if (reason !== undefined) return { kind: "rollback", version, reason };
  }
  for (const candidate of tried) {
    const step = nextStep(candidate, evidence.get(candidate.version) ?? [], policy, now);
    if (step) return step;
  }
  return undefined;
}

/**
 * Whether no count can call for a change: the candidate has all requests, so that no errors of stable can be compared with
 * its own, and its latency has no bound.
 */
export function isSettled(candidate: Candidate, { policy = DEFAULT_POLICY }: Release): boolean {
  return percentOf(candidate) === 100 && policy.rollback.latency === undefined;
}

/** Why the candidate is worse than stable. Undefined while nothing shows it. */
export function reasonToTakeBack(evidence: Evidence, policy: Policy): string | undefined {
  const { alpha, errors, latency, disagreement } = policy.rollback;
  if (errors && hasMore(evidence.map(errorSplit), alpha)) return describeErrors(evidence);
  if (latency !== undefined) {
    const slow = slowSplit(evidence, latency);
    if (slow && hasMore([slow], alpha))
      return `${slow.own} of its ${slow.own + slow.others} answers took longer than ${latency} times stable's 95th percentile`;
  }
  if (disagreement !== undefined) {
    const { compared, disagreed } = copiesOf(evidence);
    const split = { own: disagreed, others: compared - disagreed, share: disagreement };
    if (hasMore([split], alpha))
      return `it answered ${disagreed} of ${compared} copied inputs otherwise than stable`;
  }
  return undefined;
}

/** The errors of both versions in a segment, with the candidate's share of the requests. */
export function errorSplit({ segment, counts }: Evidence[number]): Split {
  const { candidate, stable } = counts;
  return { own: candidate.errors, others: stable.errors, share: shareOf(segment, counts) };
}

/**
 * The candidate's share. It is the set one, for which the evidence holds at any time, unless so few callers send
 * so much that the requests are split otherwise: then it is the observed one.
 */
function shareOf({ share }: Segment, { candidate, stable }: SegmentCounts): number {
  const all = candidate.requests + stable.requests;
  if (all === 0 || share <= 0 || share >= 1) return share;
  const deviation = Math.sqrt(all * share * (1 - share));
  const isUsual = Math.abs(candidate.requests - all * share) <= DEVIATIONS * deviation;
  return isUsual ? share : candidate.requests / all;
}

function describeErrors(evidence: Evidence): string {
  const said = (["candidate", "stable"] as const).map((which) => {
    const { requests, errors } = totalOf(evidence, which);
    return `${errors} of ${requests}`;
  });
  return `${said[0]} requests failed, and of stable's ${said[1]}`;
}

/**
 * The candidate's answers that took longer than stable's 95th percentile times `factor`, and the others. Undefined
 * without enough answers of stable, or without a clock.
 */
function slowSplit(evidence: Evidence, factor: number): Split | undefined {
  const stable = totalOf(evidence, "stable").latency;
  const all = stable.reduce((sum, count) => sum + count, 0);
  if (all < MIN_LATENCIES) return undefined;
  let left = all * SLOW_SHARE;
  let slowest = stable.length - 1;
  while (slowest > 0 && (stable[slowest] ?? 0) <= left) left -= stable[slowest--] ?? 0;
  const bound = bucketBound(slowest) * factor;
  const split = { own: 0, others: 0, share: SLOW_SHARE };
  for (const [bucket, count] of totalOf(evidence, "candidate").latency.entries())
    // Everything in the bucket took longer than the bound of the bucket before.
    split[bucket > 0 && bucketBound(bucket - 1) >= bound ? "own" : "others"] += count;
  return split;
}

/** All segments of one version together. */
export function totalOf(evidence: Evidence, which: "candidate" | "stable"): VersionCounts {
  const total: VersionCounts = { requests: 0, errors: 0, latency: [] };
  for (const { counts } of evidence) {
    const { requests, errors, latency } = counts[which];
    total.requests += requests;
    total.errors += errors;
    for (const [bucket, count] of latency.entries())
      total.latency[bucket] = (total.latency[bucket] ?? 0) + count;
  }
  return total;
}

/** What became of all copies. */
export function copiesOf(evidence: Evidence): Copies {
  const total: Copies = { compared: 0, disagreed: 0 };
  for (const { counts } of evidence) {
    const { compared, disagreed, dropped = {} } = counts.copies;
    total.compared += compared;
    total.disagreed += disagreed;
    for (const [why, count] of Object.entries(dropped) as [DropReason, number][])
      total.dropped = { ...total.dropped, [why]: (total.dropped?.[why] ?? 0) + count };
  }
  return total;
}

/** The next share, after the time and the requests that the present one needs. */
function nextStep(
  candidate: Candidate,
  evidence: Evidence,
  { steps, minRequests }: Policy,
  now: number,
): Decision | undefined {
  const percent = percentOf(candidate);
  const next = steps?.percents.find((one) => percent !== undefined && one > percent);
  const current = candidate.segments.at(-1);
  if (!steps || next === undefined || !current) return undefined;
  const { requests = 0 } =
    evidence.find(({ segment }) => segment.id === current.id)?.counts.candidate ?? {};
  if (requests < minRequests) return undefined;
  if (now - Date.parse(current.since) < steps.everySeconds * 1000) return undefined;
  const reason = `after ${requests} requests at ${percent} %`;
  return { kind: "step", version: candidate.version, percent: next, reason };
}
