import { sharesOf, tooLarge } from "../functions/model/too-large.ts";
import { WORKER_ISOLATE } from "../functions/platform/session-budgets.ts";
import { LAMBDA_TMP, mebibytes, packageBytes } from "./fit.ts";
import type { Measurement } from "./measure.ts";
import type { LocalPackage } from "./package-folder.ts";
import { describeTooLarge, workerRoom } from "./spillover.ts";

/** For each platform whether the version fits, with what it takes. */
export function fitLines(
  { manifest }: LocalPackage,
  { wasmBytes, sessionBytes }: Pick<Measurement, "wasmBytes" | "sessionBytes">,
): { fitsWorkers: boolean; lines: string[] } {
  const measured = { ...manifest, artifact: { ...manifest.artifact, wasmBytes } };
  const over = tooLarge(measured, workerRoom());
  const [{ bytes, limit }] = sharesOf(manifest, wasmBytes, WORKER_ISOLATE);
  const files = packageBytes(manifest);
  const lambda =
    files > LAMBDA_TMP
      ? `does not fit, since its files take ${mebibytes(files)} of ${mebibytes(LAMBDA_TMP)} in /tmp`
      : `fits, with ${mebibytes(sessionBytes)} for a session`;
  return {
    fitsWorkers: over === undefined,
    lines: [
      `Cloudflare Workers: ${over ? `does not fit, since ${describeTooLarge(over)}` : `fits, with ${mebibytes(bytes)} of ${mebibytes(limit)} while it loads`}`,
      `AWS Lambda: ${lambda}`,
    ],
  };
}
