import type { Manifest, Mistake } from "./api.ts";
import { Field } from "./forms/field.tsx";
import { mistakesAt } from "./forms/form.ts";
import { TextArea } from "./forms/text-list.tsx";
import { jsonMistake, spaced } from "./json.ts";
import { short } from "./short.ts";
import type { useDraft } from "./use-draft.ts";

interface InputFormProps {
  manifest: Manifest;
  drafted: ReturnType<typeof useDraft>;
  mistakes: readonly Mistake[];
}

/** The task's form or a box of JSON, filled by the manifest's examples. */
export function InputForm({ manifest, drafted, mistakes }: InputFormProps) {
  const { form, draft, setDraft, text, setText, note, fill, toJson, toForm } = drafted;
  return (
    <>
      <div class="row">
        <Examples manifest={manifest} onChoose={fill} />
        {form && (
          <div role="group" aria-label="Typed as" class="choices">
            <button type="button" aria-pressed={text === undefined} onClick={toForm}>
              Form
            </button>
            <button
              type="button"
              aria-pressed={text !== undefined}
              onClick={() => text ?? toJson()}
            >
              JSON
            </button>
          </div>
        )}
      </div>
      {note && <p role="alert">{note}</p>}
      {form && text === undefined ? (
        <form.View draft={draft} onChange={setDraft} manifest={manifest} mistakes={mistakes} />
      ) : (
        <JsonBox
          text={text ?? ""}
          onText={setText}
          hint={tensorsOf(manifest)}
          mistake={mistakesAt(mistakes, "inputs")}
        />
      )}
    </>
  );
}

function Examples({
  manifest,
  onChoose,
}: {
  manifest: Manifest;
  onChoose: (input: unknown) => void;
}) {
  const { examples } = manifest;
  if (examples.length === 0) return null;
  return (
    <Field label="Example">
      {(control) => (
        <select
          {...control}
          value=""
          onChange={({ currentTarget }) => {
            onChoose(examples[Number(currentTarget.value)]?.input);
            // The same one can be chosen again after it was changed.
            currentTarget.value = "";
          }}
        >
          <option value="">(choose one)</option>
          {examples.map(({ input }, index) => (
            <option value={index} key={index}>
              {index + 1}: {spaced(input).slice(0, 60)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface JsonBoxProps {
  text: string;
  onText: (text: string) => void;
  hint: string;
  mistake: string;
}

function JsonBox({ text, onText, hint, mistake }: JsonBoxProps) {
  return (
    <Field label="Inputs as JSON" hint={hint} mistake={jsonMistake(text) ?? mistake}>
      {(control) => <TextArea {...control} rows={8} value={text} onValue={onText} />}
    </Field>
  );
}

/** The graph's inputs, for tasks that take them by name. */
function tensorsOf({ task, inputs }: Manifest): string {
  if (task !== "tensor") return "";
  return short(
    inputs
      .map(({ name, datatype, shape }) => `${name}: ${datatype} [${shape.join(", ")}]`)
      .join(", "),
  );
}
