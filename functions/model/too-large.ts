import { servedFiles, type Manifest } from "./manifest.ts";
import { fileBytesOf, sessionBytes } from "./session-bytes.ts";

const MIB = 1024 * 1024;

/** The memory of an isolate, in bytes. Beyond it, the isolate ends with all its requests. */
export interface Isolate {
  /** The most that WASM memory may grow to. */
  wasmBytes: number;
  /** The most of WASM memory and a version's files together: while a session is made, both are in memory. */
  allBytes: number;
}

/** What a deployment has for one version. */
export interface Room {
  sessionBudgetBytes: number;
  /** The memory of a process that runs models on native ONNX Runtime. */
  processBytes?: number | undefined;
  /** Undefined where the process has no such bound. */
  isolate?: Isolate | undefined;
}

/** What a version takes of one limit, in bytes. */
export interface Share {
  what: "files" | "memory to load and run" | "WASM memory" | "WASM memory with its files";
  bytes: number;
  limit: number;
}

interface Deployment extends Pick<Room, "isolate" | "processBytes"> {
  config: Pick<Room, "sessionBudgetBytes">;
}

export function roomOf({ config, processBytes, isolate }: Deployment): Room {
  return { sessionBudgetBytes: config.sessionBudgetBytes, processBytes, isolate };
}

export interface TooLarge extends Share {
  /** Whether nobody measured it. */
  isEstimate: boolean;
}

/**
 * What exceeds the room that a deployment has for the version. Undefined where it fits. A deployment decides by it what is
 * answered elsewhere, and the commands say by it what will be.
 */
export function tooLarge(
  manifest: Manifest,
  { sessionBudgetBytes, processBytes = Infinity, isolate }: Room,
): TooLarge | undefined {
  const files = { what: "files", bytes: fileBytesOf(manifest), limit: sessionBudgetBytes } as const;
  if (isOver(files)) return { ...files, isEstimate: false };
  const { peakBytes = 0 } = manifest.artifact;
  const peak = { what: "memory to load and run", bytes: peakBytes, limit: processBytes } as const;
  if (isOver(peak)) return { ...peak, isEstimate: false };
  if (!isolate) return undefined;
  const { wasmBytes: measured } = manifest.artifact;
  const over = sharesOf(manifest, measured ?? estimate(manifest), isolate).find(isOver);
  return over && { ...over, isEstimate: measured === undefined };
}

/** What a version with so much WASM memory takes of an isolate. */
export function sharesOf(manifest: Manifest, wasmBytes: number, isolate: Isolate): [Share, Share] {
  const files = servedFiles(manifest).reduce((sum, { bytes }) => sum + bytes, 0);
  return [
    {
      what: "WASM memory with its files",
      bytes: wasmBytes + files,
      limit: isolate.allBytes,
    },
    { what: "WASM memory", bytes: wasmBytes, limit: isolate.wasmBytes },
  ];
}

function isOver({ bytes, limit }: Share): boolean {
  return bytes > limit;
}

/** What ONNX Runtime takes by itself. */
const BASE_BYTES = 10 * MIB;

/**
 * WASM memory never shrinks, so the copies that loading makes stay. Forests of 2 to 13 MB and matrices of 4 to 32 MB took
 * 2 to 3 times what a native session holds.
 */
const TIMES_NATIVE = 2;

/** Weights outside of the ONNX file are there once: WASM loads them without a copy. */
function estimate(manifest: Manifest): number {
  const { externalData, ...artifact } = manifest.artifact;
  const weights = fileBytesOf(manifest) - artifact.bytes;
  // What was measured has the weights twice.
  const graph = externalData ? { ...artifact, sessionBytes: undefined } : artifact;
  const native = sessionBytes({ ...manifest, artifact: graph }, artifact.bytes, { name: "native" });
  return BASE_BYTES + TIMES_NATIVE * native + weights;
}
