import type { Form, FormProps } from "./form.ts";
import { TextList } from "./text-list.tsx";

type Draft = string[];

/** A text, or several of them. One text has one answer, and several have one each. */
export const textsForm: Form<Draft> = {
  from: (inputs) =>
    typeof inputs === "string"
      ? [inputs]
      : isTexts(inputs) && inputs.length > 0
        ? inputs
        : undefined,
  empty: () => [""],
  inputs: (texts) => (texts.length === 1 ? texts[0] : texts),
  View({ draft, onChange, mistakes }: FormProps<Draft>) {
    const pathAt = (index: number) => (draft.length === 1 ? "inputs" : `inputs[${index}]`);
    return <TextList label="Text" texts={draft} {...{ pathAt, mistakes, onChange }} />;
  },
};

export function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}
