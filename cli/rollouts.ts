import { PROMOTED, updateRelease } from "../functions/model/change-release.ts";
import {
  isOnTrial,
  percentOf,
  shadowOf,
  type Candidate,
  type Release,
} from "../functions/model/release.ts";
import { policySchema, type Policy } from "../functions/model/release-policy.ts";
import type { Store } from "../functions/model/store.ts";
import { checkAnswers } from "./check-answers.ts";
import { eventOf, type ReleaseNote } from "./releases.ts";

/** The share of a candidate, and what of the policy is to change. */
export interface Trial {
  /** In percent: of the traffic, or of the copies of what stable answers. */
  share: { percent: number } | { shadow: number };
  policy: PolicyChange;
}

/** Parts of the policy. What is absent stays, besides the steps of an earlier candidate. */
export interface PolicyChange {
  steps?: Policy["steps"];
  minRequests?: number | undefined;
  rollback: Partial<Policy["rollback"]>;
  tolerance: Partial<Policy["tolerance"]>;
  webhook?: string | undefined;
}

/** Gives a version a share of the traffic, or copies of it. Rejects if it is not whole, or answers already. */
export async function startTrial(
  store: Store,
  model: string,
  version: string,
  { share, policy }: Trial,
  note: ReleaseNote,
): Promise<Release> {
  return updateRelease(store, model, async (current) => {
    if (!current)
      throw new Error(
        `${model} was never released in this store. Its first version is released: nearcast release ${model}@${version}`,
      );
    if (current.stable === version)
      throw new Error(`${model}@${version} answers already: it is the stable version.`);
    const known = current.candidates.find((one) => one.version === version);
    if ("percent" in share && share.percent > 0) refuseSecond(current, version, model);
    await checkAnswers(store, model, version);
    // Counts of an earlier trial, or of another kind, say nothing about this one.
    const goesOn = known && isOnTrial(known) && "percent" in known === "percent" in share;
    const segments = goesOn ? known.segments : [];
    const trial: Candidate = { version, ...share, segments };
    const others = current.candidates.filter((one) => one !== known);
    return {
      candidates: [...others, trial],
      policy: mergedPolicy(current.policy, policy, { isNew: known === undefined }),
      event: eventOf(version, note, describeShare(trial)),
    };
  });
}

/** Makes a candidate the stable version. Without a version, the only candidate. */
export async function promoteCandidate(
  store: Store,
  model: string,
  version: string | undefined,
  note: ReleaseNote,
): Promise<Release> {
  return updateRelease(store, model, async (current) => {
    const candidate = findCandidate(current, model, version);
    await checkAnswers(store, model, candidate.version);
    return { stable: candidate.version, event: eventOf(candidate.version, note, PROMOTED) };
  });
}

/** Ends the trial of a candidate. Without a version, of all of them. */
export async function abortTrial(
  store: Store,
  model: string,
  version: string | undefined,
  note: ReleaseNote,
): Promise<Release> {
  return updateRelease(store, model, (current) => {
    const ended =
      version === undefined ? current?.candidates : [findCandidate(current, model, version)];
    const [first] = ended ?? [];
    if (!current || !ended || !first) throw new Error(`${model} has no version on trial.`);
    return {
      candidates: current.candidates.filter((one) => !ended.includes(one)),
      event: eventOf(ended.map((one) => one.version)[0] ?? "", note, abortedText(ended)),
    };
  });
}

function abortedText([, ...more]: readonly Candidate[]): string {
  return more.length === 0
    ? "aborted"
    : `aborted, with ${more.map((one) => one.version).join(", ")}`;
}

/** What a candidate gets, in words. */
export function describeShare(candidate: Candidate): string {
  const percent = percentOf(candidate);
  return percent === undefined ? `copies of ${shadowOf(candidate)} %` : `${percent} %`;
}

/** The sentence about candidates that a release leaves on trial. Empty without any. */
export function describeTrials(model: string, { candidates }: Release): string {
  const trials = candidates.filter(isOnTrial);
  if (trials.length === 0) return "";
  const each = trials.map((one) => `${one.version} (${describeShare(one)})`).join(", ");
  return ` The trial of ${each} goes on: nearcast abort ${model} ends it.`;
}

/** Throws if another version gets a share of the callers already. */
export function refuseSecond({ candidates }: Release, version: string, model: string): void {
  const other = candidates.find((one) => one.version !== version && (percentOf(one) ?? 0) > 0);
  if (other)
    throw new Error(
      `${model}@${other.version} has ${describeShare(other)} already, and one version at a time can be compared with stable. End its trial first: nearcast promote ${model}, or nearcast abort ${model}.`,
    );
}

function findCandidate(
  current: Release | undefined,
  model: string,
  version: string | undefined,
): Candidate {
  const candidates = current?.candidates ?? [];
  const names = candidates.map((one) => one.version).join(", ");
  const [first, second] = candidates;
  if (!first) throw new Error(`${model} has no version on trial.`);
  if (version === undefined && second)
    throw new Error(
      `${model} has several versions on trial: ${names}. Say which one: ${model}@<version>`,
    );
  const found = version === undefined ? first : candidates.find((one) => one.version === version);
  if (!found) throw new Error(`${model}@${version} is not on trial; ${names} is.`);
  return found;
}

function mergedPolicy(
  before: Policy | undefined,
  { rollback, tolerance, ...change }: PolicyChange,
  { isNew }: { isNew: boolean },
): Policy | undefined {
  const [given, bounds, near] = [change, rollback, tolerance].map(withoutAbsent);
  const { steps, ...rest } = before ?? {};
  const kept = isNew || !steps ? rest : { ...rest, steps };
  if (!before && Object.keys({ ...given, ...bounds, ...near }).length === 0) return undefined;
  return policySchema.parse({
    ...kept,
    ...given,
    rollback: { ...before?.rollback, ...bounds },
    tolerance: { ...before?.tolerance, ...near },
  });
}

function withoutAbsent(members: object): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
