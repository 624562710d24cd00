import { readdir, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { servedFiles, type Manifest } from "../functions/model/manifest.ts";
import { sharesOf } from "../functions/model/too-large.ts";
import { WORKER_ISOLATE } from "../functions/platform/session-budgets.ts";
import type { Measurement } from "./measure.ts";
import { measureBoth, measurePackage } from "./measured.ts";
import { nextSteps } from "./next-steps.ts";
import { label, type LocalPackage } from "./package-folder.ts";
import type { RuntimeName } from "./predictor.ts";

/** One limit of one platform, and how much of it the version takes. */
export interface Fit {
  platform: "Cloudflare Workers" | "AWS Lambda";
  what: string;
  bytes: number;
  /** Undefined for a figure to plan with, which is not a limit. */
  limit: number | undefined;
}

const MIB = 1024 * 1024;
/** Lambda's `/tmp` unless configured larger. */
export const LAMBDA_TMP = 512 * MIB;

type Measured = Partial<Record<RuntimeName, Measurement>>;

/** Compares the version with each platform's limits. Throws if it exceeds one. */
export async function checkFit(local: LocalPackage, measured: Measured): Promise<Fit[]> {
  const { manifest } = local;
  const fits: Fit[] = [];
  if (measured.wasm) fits.push(...workersFit(local, measured.wasm));
  if (measured.native) fits.push(...(await lambdaFit(local, measured.native)));
  const over = fits.find(({ bytes, limit }) => limit !== undefined && bytes > limit);
  if (over)
    throw new Error(
      `${label(manifest)} does not fit ${over.platform}: ${over.what} ${mebibytes(over.bytes)}, the limit is ${mebibytes(over.limit ?? 0)}.${
        over.platform === "AWS Lambda" ? "" : ` Try: ${(await nextSteps(local)).join("; or ")}.`
      }`,
    );
  return fits;
}

export function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

/**
 * Loads the version and runs its examples in a process of its own, which is ended after `limitMs`. Rejects with
 * `MeasurementEnded` then.
 */
export async function measureFor(
  local: LocalPackage,
  runtimes: readonly RuntimeName[],
  limitMs?: number,
): Promise<Measured> {
  const [first] = runtimes;
  if (!first || runtimes.length === 1)
    return first ? { [first]: await measurePackage(local, first, limitMs) } : {};
  const [native, wasm] = await measureBoth(local, limitMs);
  return { native, wasm };
}

function workersFit(local: LocalPackage, { wasmBytes }: Measurement): Fit[] {
  const [both, alone] = sharesOf(local.manifest, wasmBytes, WORKER_ISOLATE);
  const platform = "Cloudflare Workers";
  const loading = "WASM memory after load and run, with the files while they load:";
  return [
    { platform, ...both, what: loading },
    { platform, ...alone, what: "WASM memory alone:" },
  ];
}

async function lambdaFit(
  local: LocalPackage,
  { residentBytes, sessionBytes }: Measurement,
): Promise<Fit[]> {
  const files = packageBytes(local.manifest);
  return [
    { platform: "AWS Lambda", what: "/tmp:", bytes: files, limit: LAMBDA_TMP },
    {
      platform: "AWS Lambda",
      what: "when shipped inside the function, with ONNX Runtime, unzipped (Lambda allows 250 MiB):",
      bytes: files + (await nativeRuntimeBytes()),
      // A model from S3 is not in the package, so it can be served above 250 MiB too.
      limit: undefined,
    },
    {
      platform: "AWS Lambda",
      what: "memory of a process that loads it and runs its examples (one that serves takes more):",
      bytes: residentBytes,
      limit: undefined,
    },
    {
      platform: "AWS Lambda",
      what: "memory of its session, which SESSION_BUDGET_MB counts:",
      bytes: sessionBytes,
      limit: undefined,
    },
  ];
}

/** The files of the version that a function loads: all but the manifest and examples. */
export function packageBytes(manifest: Manifest): number {
  return servedFiles(manifest).reduce((sum, { bytes }) => sum + bytes, 0);
}

async function nativeRuntimeBytes(): Promise<number> {
  const root = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
  const folder = join(root, "bin/napi-v6/linux/x64");
  let sum = 0;
  for (const file of await readdir(folder).catch(() => []))
    sum += (await stat(join(folder, file))).size;
  return sum;
}
