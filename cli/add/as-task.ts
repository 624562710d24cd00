import type { Draft } from "./from-file.ts";
import type { Config } from "./hugging-face-kind.ts";

type Manifest = Draft["manifest"];

/**
 * The same export as another task that its graph can do. Without a task the draft stays, with notes about others. Throws
 * an Error for a task that it cannot do.
 */
export function asTask(
  draft: Draft,
  task: string | undefined,
  config: Config,
  folder: string,
): Draft {
  const { manifest, notes = [] } = draft;
  if (task === undefined)
    return isNli(manifest) ? { ...draft, notes: [...notes, ZERO_SHOT_NOTE] } : draft;
  if (manifest.task === task) return draft;
  const options = optionsFor(task, manifest, config);
  if (!options)
    throw new Error(
      `${folder} is a ${manifest.task} model. --task text-ranking goes with a reranker, which answers with one number; sentence-similarity with a model for vectors; zero-shot-classification with a model for NLI, one of whose labels begins with entail.`,
    );
  const { inputs, outputs, text } = manifest;
  return { ...draft, manifest: { task, inputs, outputs, ...(text && { text }), ...options } };
}

const ZERO_SHOT_NOTE =
  "One of its labels is entailment: with --task zero-shot-classification it sorts texts by labels of each request.";

function isNli({ task, labels }: Manifest): boolean {
  return task === "text-classification" && labels?.some(isEntailment) === true;
}

function isEntailment(label: string): boolean {
  return label.toLowerCase().startsWith("entail");
}

/** The options of the other task. Undefined where the model cannot do it. */
function optionsFor(
  task: string,
  { task: own, regression, labels, scores, text }: Manifest,
  { label2id }: Config,
): object | undefined {
  if (task === "text-ranking" && regression && !labels) return { ranking: regression };
  const isDense = own === "feature-extraction" && text?.pooling !== "splade";
  if (task === "sentence-similarity" && isDense) return {};
  if (task !== "zero-shot-classification" || !labels || !scores) return undefined;
  // transformers asks label2id, whatever id2label says.
  const entailment =
    Object.entries(label2id ?? {}).find(([label]) => isEntailment(label))?.[1] ??
    labels.findIndex(isEntailment);
  if (entailment < 0 || entailment >= labels.length) return undefined;
  const contradiction = entailment === 0 ? labels.length - 1 : 0;
  return { zeroShot: { output: scores.output, entailment, contradiction } };
}
