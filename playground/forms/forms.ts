import type { Manifest } from "../api.ts";
import { featuresForm } from "./features.tsx";
import type { Form } from "./form.ts";
import { partsForm } from "./parts.tsx";
import { textsForm } from "./texts.tsx";

const FORMS = {
  "tabular-classification": featuresForm,
  "tabular-regression": featuresForm,
  "text-classification": textsForm,
  "text-regression": textsForm,
  "token-classification": textsForm,
  "feature-extraction": textsForm,
  "fill-mask": textsForm,
  "question-answering": partsForm([
    { name: "question", label: "Question" },
    { name: "context", label: "Text with the answer", rows: 5 },
  ]),
  "zero-shot-classification": partsForm([
    { name: "text", label: "Text" },
    { name: "candidate_labels", label: "Label", many: true },
  ]),
  "text-ranking": partsForm([
    { name: "query", label: "Query" },
    { name: "texts", label: "Text", many: true },
  ]),
  "sentence-similarity": partsForm([
    { name: "source_sentence", label: "Sentence" },
    { name: "sentences", label: "Other sentence", many: true },
  ]),
};

/** The form of a task. Undefined for tasks that are asked in JSON: `tensor`, and a deployment's own. */
export function formOf({ task }: Manifest): Form<unknown> | undefined {
  return Object.hasOwn(FORMS, task)
    ? (FORMS[task as keyof typeof FORMS] as Form<unknown>)
    : undefined;
}
