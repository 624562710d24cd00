import type { ComponentType } from "preact";
import type { Manifest, Mistake, Picture } from "../api.ts";

export interface FormProps<Draft> {
  draft: Draft;
  onChange: (draft: Draft) => void;
  manifest: Manifest;
  /** What the service said of the last call. */
  mistakes: readonly Mistake[];
}

/** Asks a person for a task's inputs. A draft is what they have typed so far. */
export interface Form<Draft> {
  /** The draft that says these inputs. Undefined if the form cannot say them. */
  from: (inputs: unknown, manifest: Manifest) => Draft | undefined;
  empty: (manifest: Manifest) => Draft;
  /** The inputs as JSON would have them, or a picture. Undefined while there is none. */
  inputs: (draft: Draft, manifest: Manifest) => unknown;
  View: ComponentType<FormProps<Draft>>;
}

export function isPicture(inputs: unknown): inputs is Picture {
  return typeof inputs === "object" && inputs !== null && "blob" in inputs;
}

/** The mistakes at a path, and inside of what is there. */
export function mistakesAt(mistakes: readonly Mistake[], path: string): string {
  return mistakes
    .filter((one) => one.path.startsWith(path) && /^([.[]|$)/.test(one.path.slice(path.length)))
    .map(({ message }) => message)
    .join("; ");
}
