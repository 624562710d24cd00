import { join } from "node:path";
import { exampleRequest } from "../../functions/model/example-request.ts";
import { BUILT_IN_TASKS } from "../../functions/tasks/built-in.ts";
import type { ClassificationManifest } from "../../functions/tasks/classification/options.ts";
import { EXAMPLES_FILE } from "../examples/files.ts";
import { label, type LocalPackage } from "../package-folder.ts";

const SERVER = "http://localhost:8787";
/** A file for each kind of input that is one. */
const FILES: Readonly<Record<string, readonly [type: string, name: string]>> = {
  audio: ["audio/wav", "recording.wav"],
  image: ["image/png", "picture.png"],
};

/** What `add` and `convert` say at their end: where the version is, what it answers with, and what to type next. */
export function report({ folder, manifest }: LocalPackage, changes: readonly string[]): string {
  const next =
    manifest.examples.length > 0 || manifest.examplesFile
      ? `Look at its examples, then: nearcast verify ${label(manifest)} --record`
      : `It has no examples yet: put one {"input": …} under "examples" in ${join(folder, "model.json")}, or a large one on a line of ${EXAMPLES_FILE} beside it. Then: nearcast verify ${label(manifest)} --record`;
  const changed = changes.map((change) => `The graph was changed for all runtimes. ${change}\n`);
  const request = exampleRequest(SERVER, [manifest], { isKeyed: false }) ?? fileRequest(manifest);
  const works = request ? `\nWhen it is released, this works:\n${request}` : "";
  return `${label(manifest)} is in ${folder}, a ${manifest.task} model.\n${changed.join("")}${answersOf(manifest)}${next}${works}`;
}

/** The request with a file of the user's, where the examples are too long to paste. */
function fileRequest({ name, task }: LocalPackage["manifest"]): string | undefined {
  const [type, file] = FILES[BUILT_IN_TASKS.find((one) => one.name === task)?.input ?? ""] ?? [];
  // This task asks for labels too.
  if (!file || task === "zero-shot-image-classification") return undefined;
  return `curl ${SERVER}/v1/models/${name}/predict -H 'Content-Type: ${type}' \\\n  --data-binary @${file}`;
}

/** Says what the classifier answers with. */
function answersOf(manifest: Partial<ClassificationManifest>): string {
  const { label: own, scores } = manifest;
  if (!own && !scores) return "";
  const from = own
    ? `the label that its output ${own.output} says`
    : "the label with the highest score";
  if (!scores) return `It answers with ${from}, without scores.\n`;
  const meaning =
    scores.kind === "decision-values"
      ? "are decision values, which are no probabilities (if they are logits, say --scores softmax or sigmoid)"
      : scores.activation === "none"
        ? "are probabilities"
        : `become probabilities by a ${scores.activation}`;
  return `It answers with ${from}; the numbers of ${scores.output} ${meaning}.\n`;
}
