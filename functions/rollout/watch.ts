import { ReleaseConflict, updateRelease } from "../model/change-release.ts";
import {
  isNewerFormat,
  isOnTrial,
  percentOf,
  readRelease,
  type Candidate,
  type Release,
} from "../model/release.ts";
import type { Store } from "../model/store.ts";
import { decide, isSettled, type Decision } from "./decide.ts";
import type { Evidence } from "./evidence.ts";
import type { WebhookPort } from "../webhooks/post.ts";
import { sendNotice } from "./notice.ts";

export interface Watched {
  store: Store;
  /** Reads what was counted of a candidate. */
  evidenceOf: (model: string, candidate: Candidate) => Promise<Evidence>;
  /** Sends notices. */
  post: WebhookPort["post"];
  /** What signs them: none where none is configured. Rejects while that cannot be read. */
  secrets: () => Promise<readonly string[]>;
  log: (entry: Record<string, unknown>) => void;
  /** Who changes the release, as the history has it. */
  by: string;
}

/** What a look at a model did. `idle`: nothing is on trial. `settled`: only another release can change anything. */
export type Look = Decision | "waiting" | "settled" | "idle";

/** The release changed after the decision. */
class Outdated extends Error {}

/**
 * Looks once at what was counted of the model's candidates, and changes its release if that calls for it. Several may
 * look at the same time: one of them makes the change. Rejects while the store or the counts cannot be reached. The
 * next look decides on all that was counted until then.
 */
export async function watchModel(watched: Watched, model: string): Promise<Look> {
  const { store, evidenceOf, log, by } = watched;
  const found = await readRelease(store, model);
  if (!found || isNewerFormat(found.release)) return "idle";
  const { release } = found;
  const tried = release.candidates.filter(isOnTrial);
  if (tried.length === 0) return "idle";
  const evidence = new Map(
    await Promise.all(
      tried.map(async (one) => [one.version, await evidenceOf(model, one)] as const),
    ),
  );
  const decision = decide(release, evidence, Date.now());
  if (!decision) return tried.every((one) => isSettled(one, release)) ? "settled" : "waiting";
  let changed: Release;
  try {
    changed = await updateRelease(store, model, (current) => {
      if (current?.revision !== release.revision) throw new Outdated();
      return changeFor(release, decision, by);
    });
  } catch (error) {
    // Somebody else was faster. The next look sees what that was.
    if (error instanceof Outdated || error instanceof ReleaseConflict) return "waiting";
    throw error;
  }
  const notice = noticeOf(model, changed, decision);
  log({ level: decision.kind === "rollback" ? "error" : "info", message: "rollout", ...notice });
  const { webhook } = release.policy ?? {};
  if (webhook !== undefined)
    await tell(watched, webhook, `${model}-${changed.revision}`, notice).catch((error: unknown) =>
      log({
        level: "error",
        message: "rollout: the webhook failed",
        model,
        error: String(error),
      }),
    );
  return decision;
}

async function tell({ post, secrets }: Watched, url: string, id: string, notice: object) {
  await sendNotice(post, url, id, notice, await secrets());
}

function changeFor({ candidates }: Release, decision: Decision, by: string) {
  const { version, reason } = decision;
  const percent = decision.kind === "step" ? decision.percent : 0;
  return {
    candidates: candidates.map((one): Candidate => {
      if (one.version !== version) return one;
      return percentOf(one) === undefined ? { ...one, shadow: percent } : { ...one, percent };
    }),
    event: {
      version,
      at: new Date().toISOString(),
      by,
      // Two that look in the same millisecond must not take the other's change for their own.
      id: crypto.randomUUID(),
      why: reason,
      change: decision.kind === "step" ? `${percent} %` : "taken back",
    },
  };
}

/** What the log and the webhook are told. */
function noticeOf(model: string, { stable, revision, history }: Release, decision: Decision) {
  const { kind, version, reason } = decision;
  const percent = decision.kind === "step" ? decision.percent : 0;
  return { model, version, event: kind, percent, stable, revision, reason, at: history[0]?.at };
}
