import type { Manifest } from "../model/manifest.ts";
import { serverTiming, type Phases } from "../phases.ts";

interface SetsHeaders {
  header: (name: string, value: string) => void;
}

/**
 * The headers that say what made an answer and, where that is measured, how long each phase took. They are
 * set through Hono's context: touching `c.res` first would make a full Response, half the cost of a request.
 */
export function identify(c: SetsHeaders, manifest: Manifest, phases?: Phases): void {
  c.header("X-Model-Name", manifest.name);
  c.header("X-Model-Version", manifest.version);
  c.header("X-Model-Digest", `sha256:${manifest.artifact.sha256}`);
  const timing = phases && serverTiming(phases);
  if (timing) c.header("Server-Timing", timing);
}
