import { useRef } from "preact/hooks";
import type { Mistake } from "../api.ts";
import { Field, type Control } from "./field.tsx";
import { mistakesAt } from "./form.ts";

interface TextListProps {
  /** What one of them is called, such as `Text`. */
  label: string;
  texts: readonly string[];
  /** The path of one of them in the request. */
  pathAt: (index: number) => string;
  mistakes: readonly Mistake[];
  onChange: (texts: string[]) => void;
}

/** Texts one below the other, of which there is always one. */
export function TextList({ label, texts, pathAt, mistakes, onChange }: TextListProps) {
  const list = useRef<HTMLDivElement>(null);
  const add = () => {
    onChange([...texts, ""]);
    requestAnimationFrame(() => {
      [...(list.current?.querySelectorAll("textarea") ?? [])].at(-1)?.focus();
    });
  };
  return (
    <div ref={list}>
      {texts.map((text, index) => (
        <div class="item">
          <Field
            label={texts.length > 1 ? `${label} ${index + 1}` : label}
            mistake={mistakesAt(mistakes, pathAt(index))}
          >
            {(control) => (
              <TextArea
                {...control}
                value={text}
                onValue={(value) => onChange(texts.with(index, value))}
              />
            )}
          </Field>
          {texts.length > 1 && (
            <button
              type="button"
              aria-label={`Remove ${label.toLowerCase()} ${index + 1}`}
              onClick={() => onChange(texts.toSpliced(index, 1))}
            >
              ×
            </button>
          )}
        </div>
      ))}
      <button type="button" onClick={add}>
        Add a {label.toLowerCase()}
      </button>
    </div>
  );
}

interface TextAreaProps extends Control {
  value: string;
  onValue: (value: string) => void;
  rows?: number;
}

export function TextArea({ value, onValue, rows = 2, ...control }: TextAreaProps) {
  return (
    <textarea
      {...control}
      rows={Math.min(12, Math.max(rows, value.split("\n").length))}
      dir="auto"
      value={value}
      onInput={(event) => onValue(event.currentTarget.value)}
    />
  );
}
