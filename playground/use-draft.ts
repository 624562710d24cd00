import { useState } from "preact/hooks";
import type { Manifest, Picture } from "./api.ts";
import { base64Of } from "./forms/file-drop.tsx";
import { isPicture } from "./forms/form.ts";
import { formOf } from "./forms/forms.ts";
import { jsonMistake, spaced } from "./json.ts";

/** The tasks in which a few texts say more than one. */
const SEVERAL = new Set(["feature-extraction"]);

/** What will be asked: typed into the task's form, or as JSON. */
export function useDraft(manifest: Manifest) {
  const form = formOf(manifest);
  const first = firstInputs(manifest);
  const started = first === undefined ? undefined : form?.from(first, manifest);
  const [draft, setDraft] = useState<unknown>(started ?? form?.empty(manifest));
  const [text, setText] = useState<string | undefined>(
    form && (started !== undefined || first === undefined) ? undefined : spaced(first ?? null),
  );
  const [note, setNote] = useState("");

  function fill(inputs: unknown): void {
    const next = form?.from(inputs, manifest);
    setNote("");
    if (next === undefined || text !== undefined) setText(spaced(inputs));
    if (next !== undefined) setDraft(next);
  }

  async function toJson(): Promise<void> {
    const inputs = form?.inputs(draft, manifest);
    if (!isPicture(inputs)) return setText(spaced(inputs ?? null));
    const base64 = await base64Of(inputs).catch(() => undefined);
    setNote(base64 === undefined ? `${inputs.name} cannot be read.` : "");
    if (base64 !== undefined) setText(spaced(base64));
  }

  function toForm(): void {
    if (!form || text === undefined || jsonMistake(text) !== undefined) return setNote(CANNOT);
    const next = form.from(JSON.parse(text), manifest);
    if (next === undefined) return setNote(CANNOT);
    setNote("");
    setDraft(next);
    setText(undefined);
  }

  /** JSON, or a picture. Undefined while there is nothing to send. */
  function inputs(): string | Picture | undefined {
    if (text !== undefined) return jsonMistake(text) === undefined ? text : undefined;
    const given = form?.inputs(draft, manifest);
    if (given === undefined || isPicture(given)) return given;
    return spaced(given);
  }

  return { form, draft, setDraft, text, setText, note, fill, toJson, toForm, inputs };
}

const CANNOT = "The form cannot show this JSON.";

function firstInputs({ task, examples, inputs: tensors }: Manifest): unknown {
  if (task === "tensor" && examples.length === 0)
    return Object.fromEntries(tensors.map(({ name }) => [name, []]));
  const inputs = examples.map(({ input }) => input);
  return SEVERAL.has(task) && inputs.length > 1 ? inputs.slice(0, 5) : inputs[0];
}
