import { join } from "node:path";
import { createNativeRuntime } from "../functions/runtime/onnxruntime-node.ts";
import type { Session } from "../functions/runtime/types.ts";
import type { LocalPackage } from "./package-folder.ts";

/** More loads of a large session would only need more memory. Few of a small one are lost in the noise of the process. */
const ENOUGH_BYTES = 64 * 1024 * 1024;
const MOST_LOADS = 4;
/** Rounded up to it, two measurements of a version mostly give the same figure. */
const STEP_BYTES = 64 * 1024;

/** What one more native session of a version takes. */
export interface SessionMemory {
  /** Bytes that it holds. */
  sessionBytes: number;
  /** Milliseconds of its creation, files read. */
  createMs: number;
}

/**
 * Measures by how much this process grows with each further session of the version. Its first session must be there
 * already: it brings what all of them share. Needs Node's `--expose-gc`: read files that nobody needs any more would
 * count as the session's.
 */
export async function measureSession({ folder, manifest }: LocalPackage): Promise<SessionMemory> {
  const runtime = createNativeRuntime({ threads: 1 });
  const { externalData = [], file } = manifest.artifact;
  const source = (name: string) => ({ path: join(folder, name) });
  const weights = externalData.map(({ file: name }) => ({ name, source: source(name) }));
  const sessions: Session[] = [];
  const before = residentNow();
  const start = performance.now();
  let createMs = 0;
  let grown = 0;
  while (sessions.length < MOST_LOADS && grown < ENOUGH_BYTES) {
    sessions.push(await runtime.load(source(file), weights));
    createMs ||= performance.now() - start;
    grown = residentNow() - before;
  }
  const each = grown / sessions.length;
  await Promise.all(sessions.map((session) => session.release()));
  return { sessionBytes: Math.max(1, Math.ceil(each / STEP_BYTES)) * STEP_BYTES, createMs };
}

/** The memory of this process, without what the collector would free. */
export function residentNow(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}
