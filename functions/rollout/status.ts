import { isRelease } from "../model/change-release.ts";
import { percentOf, shadowOf, type Release } from "../model/release.ts";
import { DEFAULT_POLICY, type Policy } from "../model/release-policy.ts";
import { copiesOf, errorSplit, reasonToTakeBack, totalOf } from "./decide.ts";
import type { Copies, Evidence } from "./evidence.ts";
import { logEvidence } from "./sequential-test.ts";

/** What is on trial, and what is known of it. */
export interface RolloutStatus {
  model: string;
  stable: string;
  /** When it became stable. Absent if the history does not say. */
  since?: string;
  revision: number;
  /** With it and the candidates a client finds the version of a key. */
  salt: string;
  candidates: CandidateStatus[];
  policy: Omit<Policy, "webhook">;
}

export interface CandidateStatus {
  version: string;
  percent?: number;
  shadow?: number;
  /** When its present share began. */
  since?: string;
  requests: number;
  errors: number;
  stable: { requests: number; errors: number };
  copies: Copies;
  /** The evidence that errors fall to it otherwise than by its share. It is taken back from 1/α on. */
  evidence: number;
  /** Why it is worse than stable. Absent while nothing shows it. */
  problem?: string;
  /** All that was counted, by segment. */
  segments: Evidence;
}

/** Puts together what is known of the model's candidates. */
export function describeRollout(
  model: string,
  release: Release,
  evidence: ReadonlyMap<string, Evidence>,
): RolloutStatus {
  const { stable, revision, salt, history } = release;
  const { webhook: _, ...policy } = release.policy ?? DEFAULT_POLICY;
  const since = history.find(isRelease)?.at;
  return {
    model,
    stable,
    ...(since !== undefined && { since }),
    revision,
    salt,
    candidates: release.candidates.map((candidate): CandidateStatus => {
      const segments = evidence.get(candidate.version) ?? [];
      const [own, others] = [totalOf(segments, "candidate"), totalOf(segments, "stable")];
      const began = candidate.segments.at(-1)?.since;
      const problem = reasonToTakeBack(segments, { ...policy, rollback: policy.rollback });
      const [percent, shadow] = [percentOf(candidate), shadowOf(candidate)];
      return {
        version: candidate.version,
        ...(percent !== undefined && { percent }),
        ...(shadow !== undefined && { shadow }),
        ...(began !== undefined && { since: began }),
        requests: own.requests,
        errors: own.errors,
        stable: { requests: others.requests, errors: others.errors },
        copies: copiesOf(segments),
        evidence: Math.exp(segments.reduce((sum, one) => sum + logEvidence(errorSplit(one)), 0)),
        ...(problem !== undefined && { problem }),
        segments,
      };
    }),
    policy,
  };
}
