import { Field } from "./field.tsx";
import { mistakesAt, type Form, type FormProps } from "./form.ts";
import { TextArea, TextList } from "./text-list.tsx";
import { isTexts } from "./texts.tsx";

/** A member of an input that is a text, or with `many` a list of texts. */
interface Part {
  name: string;
  label: string;
  many?: boolean;
  rows?: number;
}

type Draft = Record<string, string | string[]>;

/** A form for inputs that are an object of texts and lists of texts. */
export function partsForm(parts: readonly Part[]): Form<Draft> {
  function View({ draft, onChange, mistakes }: FormProps<Draft>) {
    return (
      <>
        {parts.map(({ name, label, many, rows = 2 }) => {
          const value = draft[name];
          const change = (value: string | string[]) => onChange({ ...draft, [name]: value });
          return many ? (
            <TextList
              label={label}
              texts={isTexts(value) ? value : [""]}
              pathAt={(index) => `inputs.${name}[${index}]`}
              mistakes={mistakes}
              onChange={change}
            />
          ) : (
            <Field label={label} mistake={mistakesAt(mistakes, `inputs.${name}`)}>
              {(control) => (
                <TextArea
                  {...control}
                  rows={rows}
                  value={typeof value === "string" ? value : ""}
                  onValue={change}
                />
              )}
            </Field>
          );
        })}
      </>
    );
  }
  return {
    from(inputs) {
      if (typeof inputs !== "object" || inputs === null) return undefined;
      const given = inputs as Record<string, unknown>;
      const fits = ({ name, many }: Part) =>
        many ? isTexts(given[name]) && given[name].length > 0 : typeof given[name] === "string";
      return Object.keys(given).length === parts.length && parts.every(fits)
        ? (given as Draft)
        : undefined;
    },
    empty: () => Object.fromEntries(parts.map(({ name, many }) => [name, many ? [""] : ""])),
    inputs: (draft) => draft,
    View,
  };
}
