import type { Policy } from "./release-policy.ts";
import {
  FORMAT,
  isNewerFormat,
  isOnTrial,
  MAX_RELEASE_BYTES,
  percentOf,
  readRelease,
  releaseKey,
  shadowOf,
  type Candidate,
  type Release,
  type ReleaseEvent,
} from "./release.ts";
import type { Store } from "./store.ts";

/** What a change makes of a release. What is absent stays. */
export interface ReleaseChange {
  stable?: string;
  candidates?: Candidate[];
  policy?: Policy | undefined;
  fallback?: string | undefined;
  /** The newest entry of the history. */
  event: ReleaseEvent;
}

/** Somebody else changed the release at the same time. Nothing was written. */
export class ReleaseConflict extends Error {}

const HISTORY_LIMIT = 100;
/** Times with a share of their own that a candidate remembers. */
const SEGMENT_LIMIT = 50;
const ATTEMPTS = 3;
/** Both answer each copied request. */
const SHADOW_SHARE = 0.5;

/**
 * Releases a version by {@link updateRelease}. `decide` gets the current release and returns the next version, or
 * throws. Candidates stay on trial, besides the version itself.
 */
export function changeRelease(
  store: Store,
  model: string,
  decide: (current: Release | undefined) => ReleaseEvent | Promise<ReleaseEvent>,
): Promise<Release> {
  return updateRelease(store, model, async (current) => {
    const event = await decide(current);
    return { stable: event.version, event };
  });
}

/**
 * Changes the release by compare-and-swap. `decide` gets the current release and returns the change, or throws. Of two
 * changes at the same time, one is written and the other rejects with {@link ReleaseConflict}. If the store refuses a
 * write although nobody has changed the release, it tries again.
 */
export async function updateRelease(
  store: Store,
  model: string,
  decide: (current: Release | undefined) => ReleaseChange | Promise<ReleaseChange>,
): Promise<Release> {
  const current = await readRelease(store, model);
  if (current && isNewerFormat(current.release))
    throw new Error(
      `The release of ${model} has format ${current.release.schema}, and this Nearcast writes format ${FORMAT}: it would lose what it does not know. Update nearcast. Nothing was changed.`,
    );
  const release = changed(model, current?.release, await decide(current?.release));
  const bytes = new TextEncoder().encode(`${JSON.stringify(release, undefined, 2)}\n`);
  if (bytes.byteLength > MAX_RELEASE_BYTES)
    throw new Error(
      `The release of ${model} would have ${bytes.byteLength} bytes, and at most ${MAX_RELEASE_BYTES} are read: give shorter reasons. Nothing was changed.`,
    );
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const written = await store.put(
      releaseKey(model),
      bytes,
      current ? { ifMatch: current.etag } : { ifNoneMatch: "*" },
    );
    if (written) return release;
    const now = await readRelease(store, model);
    // An earlier attempt wrote it, but the store's answer was lost.
    if (now?.release.salt === release.salt && now.release.revision === release.revision) {
      const [written, ours] = [now.release.history[0], release.history[0]];
      if (JSON.stringify(written) === JSON.stringify(ours)) return release;
    }
    if (now?.etag !== current?.etag) break;
  }
  const after = await readRelease(store, model);
  if (after?.etag === current?.etag)
    throw new Error(
      `The store refused the release of ${model} ${ATTEMPTS} times, though nobody else has changed it. Nothing was changed: try again.`,
    );
  throw conflict(model, after?.release);
}

function changed(model: string, before: Release | undefined, change: ReleaseChange): Release {
  const stable = change.stable ?? before?.stable;
  if (stable === undefined) throw new Error(`${model} was never released in this store.`);
  const revision = (before?.revision ?? 0) + 1;
  const candidates = (change.candidates ?? before?.candidates ?? []).filter(
    ({ version }) => version !== stable,
  );
  const policy = "policy" in change ? change.policy : before?.policy;
  const next: Release = {
    ...before,
    schema: FORMAT,
    revision,
    stable,
    candidates,
    salt: before?.salt || newSalt(),
    history: [change.event, ...pastOf(before)].slice(0, HISTORY_LIMIT),
  };
  if (policy) next.policy = policy;
  else delete next.policy;
  const fallback = change.fallback ?? before?.fallback;
  if (fallback !== undefined && fallback !== stable) next.fallback = fallback;
  else delete next.fallback;
  if (!before || sharesOf(before) !== sharesOf(next))
    next.candidates = candidates.map((one) => withSegment(one, next));
  return next;
}

/** Who gets what. While that stays, all that is counted can be compared. */
function sharesOf({ stable, candidates }: Release): string {
  const shares = candidates.map((one) => [one.version, percentOf(one), shadowOf(one)]);
  return JSON.stringify([stable, shares]);
}

/** Begins another segment of the candidate, from now on. */
function withSegment(candidate: Candidate, { candidates, revision }: Release): Candidate {
  const { segments } = candidate;
  if (!isOnTrial(candidate)) return candidate;
  const all = candidates.reduce((sum, one) => sum + (percentOf(one) ?? 0), 0);
  const own = percentOf(candidate);
  const stable = Math.max(0, 100 - all);
  const share = own === undefined ? SHADOW_SHARE : own / (own + stable);
  const begun = { id: revision, since: new Date().toISOString(), share };
  return { ...candidate, segments: [...segments, begun].slice(-SEGMENT_LIMIT) };
}

function conflict(model: string, winner: Release | undefined): ReleaseConflict {
  const by = winner?.history[0]?.by;
  return new ReleaseConflict(
    `Another release of ${model} happened at the same time; version ${winner?.stable ?? "?"} answers${by ? `, released by ${by}` : ""}. Nothing was changed.`,
  );
}

function newSalt(): string {
  return crypto.randomUUID().slice(0, 8);
}

/** The history, with the stable version of a file that was written by hand. */
function pastOf(current: Release | undefined): ReleaseEvent[] {
  if (!current) return [];
  const { stable, history } = current;
  const last = history.find(isRelease);
  return last?.version === stable ? history : [{ version: stable }, ...history];
}

/** What `change` says when a candidate became stable. */
export const PROMOTED = "promoted";

/** Whether the event made its version stable. */
export function isRelease({ change }: ReleaseEvent): boolean {
  return change === undefined || change === PROMOTED;
}
