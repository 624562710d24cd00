import { rowMembers } from "../model/row-members.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Task } from "./define.ts";

/**
 * Throws an Error for a name in `capture` that no input can have. A misspelt name would let through what it should leave
 * out.
 */
export function checkCapture(manifest: Manifest, task: Task): void {
  if (!manifest.capture) return;
  const { redact, subject } = manifest.capture;
  const known = namesOf(manifest, task);
  if (!known) return;
  for (const name of redact) check("capture.redact", name, known);
  if (subject === undefined) return;
  if (task.input !== "features")
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
function namesOf(manifest: Manifest, task: Task): string[] | undefined {
  const { inputs } = manifest;
  const { input: kind } = task;
  if (kind === "features") return rowMembers(manifest).map(({ name }) => name);
  if (kind === "tensors") return inputs.map(({ name }) => name);
  if (kind === "text") return ["text", "text_pair"];
  if (kind !== "image" && kind !== "audio") return undefined;
  // Some tasks take an object around the file too.
  const { anyOf = [] } = task.schema(manifest).input as { anyOf?: { properties?: object }[] };
  return [...new Set([kind, ...anyOf.flatMap(({ properties = {} }) => Object.keys(properties))])];
}
