import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

/** The attributes that tie a control to its label, hint and mistake. */
export interface Control {
  id: string;
  "aria-invalid"?: true;
  "aria-describedby"?: string;
}

interface FieldProps {
  label: ComponentChildren;
  hint?: string | undefined;
  /** What is wrong with the value. Empty if nothing is. */
  mistake?: string;
  children: (control: Control) => ComponentChildren;
}

/** A labelled control with its hint, and its mistake where a screen reader finds it. */
export function Field({ label, hint, mistake, children }: FieldProps) {
  const id = useId();
  const described = [hint && `${id}-hint`, mistake && `${id}-mistake`].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id} dir="auto">
        {label}
      </label>
      {children({
        id,
        ...(mistake && { "aria-invalid": true as const }),
        ...(described && { "aria-describedby": described }),
      })}
      {hint && (
        <small id={`${id}-hint`} dir="auto">
          {hint}
        </small>
      )}
      {mistake && (
        <strong class="mistake" id={`${id}-mistake`}>
          {mistake}
        </strong>
      )}
    </div>
  );
}
