import { rowMembers } from "../model/row-members.ts";
import type { Manifest } from "../model/manifest.ts";
import type { InputKind } from "./define.ts";

/**
 * Throws an Error for a name in `capture` that no input can have. A misspelt name would let through what it should leave
 * out.
 */
export function checkCapture(manifest: Manifest, kind: InputKind): void {
  const { redact = [], subject } = manifest.capture ?? {};
  const known = namesOf(manifest, kind);
  if (!known) return;
  for (const name of redact) check("capture.redact", name, known);
  if (subject === undefined) return;
  if (kind !== "features")
    throw new Error(
      `capture.subject: inputs of the task ${manifest.task} name nobody; clients can send X-Nearcast-Key`,
    );
  check("capture.subject", subject, known);
}

function check(field: string, name: string, known: readonly string[]): void {
  if (!known.includes(name))
    throw new Error(
      `${field} has ${JSON.stringify(name)}, which is no input: use ${known.join(", ")}`,
    );
}

/** The names that inputs may have. Undefined where they may have any. */
function namesOf(manifest: Manifest, kind: InputKind): string[] | undefined {
  const { inputs } = manifest;
  if (kind === "features") return rowMembers(manifest).map(({ name }) => name);
  if (kind === "tensors") return inputs.map(({ name }) => name);
  if (kind === "text") return ["text", "text_pair"];
  return kind === "image" || kind === "audio" ? [kind] : undefined;
}
