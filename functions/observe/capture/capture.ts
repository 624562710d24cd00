import { ANYONE } from "../../auth/caller.ts";
import type { Asked, Follower } from "../../follow.ts";
import { hash, PARTS } from "../../model/assignment.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { Resolved } from "../../model/registry.ts";
import type { Seen } from "../../tasks/define.ts";
import { contentOf } from "./content.ts";
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
}

/** Captures predictions. */
export function createCapture(platform: WriterPlatform): Capture {
  const writer = createWriter(platform);

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
    wants: ({ manifest }) => manifest.capture !== undefined,
    follow(version, asked, seen) {
      if (!isChosen(asked.id, version.manifest)) return writer.writeSoon();
      quietly(() => keep(version, asked, seen));
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
  };
}

/** All instances and platforms choose the same requests, so that an outcome is kept where its prediction is. */
export function isChosen(id: string, { capture }: Pick<Manifest, "capture">): boolean {
  return hash(`capture:${id}`) < (capture?.rate ?? 0) * PARTS;
}
