import type { Manifest } from "../api.ts";
import { audioForm } from "./audio.tsx";
import { basketForm } from "./basket.tsx";
import { featuresForm } from "./features.tsx";
import type { Form } from "./form.ts";
import { imageForm } from "./image.tsx";
import { labelledImageForm } from "./labelled-image.tsx";
import { partsForm } from "./parts.tsx";
import { textsForm } from "./texts.tsx";

const pairForm = partsForm([
  { name: "text", label: "Text" },
  { name: "text_pair", label: "Second text" },
]);

/** The forms of each task. The first one that can show the model's example is taken. */
const FORMS = {
  "tabular-anomaly-detection": [featuresForm],
  "tabular-classification": [featuresForm],
  "tabular-regression": [featuresForm],
  "image-classification": [imageForm],
  "image-feature-extraction": [imageForm],
  "zero-shot-image-classification": [labelledImageForm, imageForm],
  "audio-classification": [audioForm],
  "voice-activity-detection": [audioForm],
  "object-detection": [imageForm],
  "image-segmentation": [imageForm],
  "image-to-text": [imageForm],
  recommendation: [basketForm],
  "text-classification": [textsForm, pairForm],
  "text-regression": [textsForm, pairForm],
  "token-classification": [textsForm],
  "feature-extraction": [textsForm, pairForm],
  "fill-mask": [textsForm],
  "question-answering": [
    partsForm([
      { name: "question", label: "Question" },
      { name: "context", label: "Text with the answer", rows: 5 },
    ]),
  ],
  "zero-shot-classification": [
    partsForm([
      { name: "text", label: "Text" },
      { name: "candidate_labels", label: "Label", many: true },
    ]),
    textsForm,
  ],
  "text-ranking": [
    partsForm([
      { name: "query", label: "Query" },
      { name: "texts", label: "Text", many: true },
    ]),
  ],
  "sentence-similarity": [
    partsForm([
      { name: "source_sentence", label: "Sentence" },
      { name: "sentences", label: "Other sentence", many: true },
    ]),
  ],
};

/** The form of a model's task. Undefined for tasks that are asked in JSON: `tensor`, and a deployment's own. */
export function formOf(manifest: Manifest): Form<unknown> | undefined {
  const { task, examples } = manifest;
  if (!Object.hasOwn(FORMS, task)) return undefined;
  const forms = FORMS[task as keyof typeof FORMS] as Form<unknown>[];
  return forms.find((form) => form.from(examples[0]?.input, manifest) !== undefined) ?? forms[0];
}
