import type { Manifest } from "../model/manifest.ts";
import type { Phases } from "../phases.ts";

/** The headers that say what made an answer and, where that is measured, how long each phase took. */
export function identify(headers: Headers, manifest: Manifest, phases?: Phases): void {
  headers.set("X-Model-Name", manifest.name);
  headers.set("X-Model-Version", manifest.version);
  headers.set("X-Model-Digest", `sha256:${manifest.artifact.sha256}`);
  const serverTiming = phases?.serverTiming();
  if (serverTiming) headers.set("Server-Timing", serverTiming);
}
