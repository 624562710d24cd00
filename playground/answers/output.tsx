import type { ComponentType } from "preact";
import { BoxesView } from "./boxes.tsx";
import {
  AnomalyView,
  ClassificationView,
  isAnomaly,
  isClassified,
  isRegressed,
  RegressionView,
} from "./classification.tsx";
import { MasksView } from "./masks.tsx";
import { SpeechView } from "./speech.tsx";
import * as texts from "./texts.tsx";

interface OutputProps {
  task: string;
  output: unknown;
  /** What it is the answer to. */
  input: unknown;
}

/** Tasks whose answers have a form of their own. */
const VIEWS: Record<string, unknown> = {
  "token-classification": texts.EntitiesView,
  "question-answering": texts.FoundView,
  "zero-shot-classification": texts.LabelsView,
  "zero-shot-image-classification": texts.LabelsView,
  "fill-mask": texts.FilledView,
  "object-detection": BoxesView,
  "image-segmentation": MasksView,
  "voice-activity-detection": SpeechView,
  "image-to-text": texts.ReadView,
  "text-ranking": texts.RankedView,
  "sentence-similarity": texts.SimilarView,
  recommendation: texts.ItemsView,
};

/** Whether answers are vectors, of texts or of pictures. */
export function makesVectors(task: string): boolean {
  return task === "feature-extraction" || task === "image-feature-extraction";
}

/** Whether people can read the answer. Only JSON says those of tensors, and some of a deployment's own tasks. */
export function isReadable(task: string, output: unknown): boolean {
  return (
    makesVectors(task) ||
    Object.hasOwn(VIEWS, task) ||
    isAnomaly(output) ||
    isClassified(output) ||
    isRegressed(output)
  );
}

/** An answer to one input as people read it. Nothing where only JSON says it. */
export function Output({ task, output, input }: OutputProps) {
  if (Object.hasOwn(VIEWS, task)) {
    const View = VIEWS[task] as ComponentType<{ output: unknown; input: unknown }>;
    return <View output={output} input={input} />;
  }
  if (isAnomaly(output)) return <AnomalyView output={output} />;
  if (isClassified(output)) return <ClassificationView output={output} />;
  if (isRegressed(output)) return <RegressionView output={output} />;
  return null;
}
