import { ANYONE } from "../../auth/caller.ts";
import type { Asked, Follower } from "../../follow.ts";
import { hash, PARTS } from "../../model/assignment.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { Resolved } from "../../model/registry.ts";
import type { Platform } from "../../platform/types.ts";
import type { Seen } from "../../tasks/define.ts";
import { contentOf } from "./content.ts";
import type { CaptureRecord } from "../observer.ts";
import { removeDue } from "./expire.ts";
import { createWriter, type WriterPlatform } from "./writer.ts";

/** What really happened to the inputs of a request. */
export interface Judged extends Pick<Asked, "id" | "caller"> {
  manifest: Manifest;
  outcome: readonly (string | number)[];
}

/** Keeps a share of the predictions of versions whose manifests ask for that, in the store. */
export interface Capture extends Follower {
  /** Keeps what really happened beside the prediction, where that is kept. Returns at once, and never throws. */
  judge: (judged: Judged) => void;
  /** Writes what waits in this instance. Never rejects. */
  flush: () => Promise<void>;
  /** Removes what expired, of all models and whoever wrote it. Once an hour at most, and never rejects. */
  removeExpired: () => Promise<void>;
}

const HOUR_MS = 3_600_000;
/** A server that is restarted each hour looks too. */
const EVERY_MS = HOUR_MS / 2;

/** Captures predictions. `tell` gets what became of what was captured. */
export function createCapture(
  platform: WriterPlatform & Pick<Platform, "every">,
  tell: (record: CaptureRecord) => void,
): Capture {
  const writer = createWriter(platform, tell);
  let removedAt = -Infinity;

  async function removeExpired(): Promise<void> {
    if (Date.now() - removedAt < HOUR_MS) return;
    removedAt = Date.now();
    await removeDue(platform.store, removedAt).catch((error: unknown) =>
      platform.log({
        level: "error",
        message: "capture: expired inputs remain",
        error: String(error),
      }),
    );
  }
  platform.every?.(EVERY_MS, removeExpired);

  function keep(version: Resolved, { id, caller, key }: Asked, seen: Seen): void {
    const { manifest, reason: assignment } = version;
    const asker = key || (caller === ANYONE.name ? undefined : caller);
    const time = new Date().toISOString();
    for (const { row, subject = asker, json } of contentOf(version, seen))
      writer.add({
        retentionDays: manifest.capture?.retentionDays ?? 0,
        caller,
        subject,
        fields: {
          request_id: id,
          row,
          time,
          model: manifest.name,
          version: manifest.version,
          digest: manifest.artifact.sha256,
          assignment,
        },
        json,
      });
  }

  function quietly(work: () => void): void {
    try {
      work();
    } catch (error) {
      const message = "capture: a call could not be kept";
      platform.log({ level: "error", message, error: String(error) });
    }
  }

  return {
    begin({ manifest }) {
      if (!manifest.capture) return undefined;
      return (version, asked, seen) => {
        if (!isChosen(asked.id, manifest)) return writer.writeSoon();
        quietly(() => keep(version, asked, seen));
      };
    },
    judge({ id, caller, manifest, outcome }) {
      const { capture, name: model, version } = manifest;
      if (!capture || !isChosen(id, manifest)) return;
      quietly(() =>
        writer.add({
          retentionDays: capture.retentionDays,
          caller,
          subject: undefined,
          fields: { request_id: id, time: new Date().toISOString(), model, version },
          json: `"outcome":${JSON.stringify(outcome)}`,
        }),
      );
    },
    flush: writer.flush,
    removeExpired,
  };
}

/** All instances and platforms choose the same requests, so that an outcome is kept where its prediction is. */
export function isChosen(id: string, { capture }: Pick<Manifest, "capture">): boolean {
  return hash(`capture:${id}`) < (capture?.rate ?? 0) * PARTS;
}
