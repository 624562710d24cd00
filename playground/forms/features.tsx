import { fieldsOf, type FeatureField } from "./feature-fields.ts";
import { short } from "../short.ts";
import { Field } from "./field.tsx";
import { mistakesAt, type Form, type FormProps } from "./form.ts";

/** What is typed for each feature. */
type Draft = Record<string, string>;

/**
 * A field for each key and each feature. What is no number is sent as it is, and the service says what is wrong with it.
 */
export const featuresForm: Form<Draft> = {
  from(inputs, manifest) {
    if (typeof inputs !== "object" || inputs === null) return undefined;
    const { features = [] } = manifest;
    const fields = fieldsOf(manifest);
    const row = Array.isArray(inputs)
      ? Object.fromEntries(features.map(({ name }, index) => [name, inputs[index] as unknown]))
      : (inputs as Record<string, unknown>);
    const values = fields.map(({ name }) => row[name] ?? "");
    if (values.some((value) => typeof value === "object")) return undefined;
    if (Object.keys(row).some((name) => !fields.some((one) => one.name === name))) return undefined;
    return Object.fromEntries(
      fields.map(({ name }, index) => [name, String(values[index] as string | number | boolean)]),
    );
  },
  empty: () => ({}),
  inputs: (draft, manifest) =>
    Object.fromEntries(
      fieldsOf(manifest).flatMap((feature) => {
        const value = valueOf(feature, draft[feature.name] ?? "");
        return value === undefined ? [] : [[feature.name, value]];
      }),
    ),
  View: FeaturesView,
};

function FeaturesView({ draft, onChange, manifest, mistakes }: FormProps<Draft>) {
  return (
    <div class="features">
      {fieldsOf(manifest).map((feature) => (
        <OneFeature
          key={feature.name}
          feature={feature}
          value={draft[feature.name] ?? ""}
          mistake={mistakesAt(mistakes, `inputs.${feature.name}`)}
          onInput={(value) => onChange({ ...draft, [feature.name]: value })}
        />
      ))}
    </div>
  );
}

interface OneFeatureProps {
  feature: FeatureField;
  value: string;
  mistake: string;
  onInput: (value: string) => void;
}

function OneFeature({ feature, value, mistake, onInput }: OneFeatureProps) {
  const { name, type, unit, description } = feature;
  const choices = choicesOf(feature);
  const read = (event: { currentTarget: { value: string } }) => onInput(event.currentTarget.value);
  const hint = [description, rangeOf(feature), whenEmpty(feature)].filter(Boolean).join(". ");
  return (
    <Field
      label={short(unit ? `${name} (${unit})` : name)}
      hint={hint && short(hint)}
      mistake={mistake}
    >
      {(control) =>
        choices ? (
          <select {...control} value={value} onChange={read}>
            <option value="">{emptyChoice(feature)}</option>
            {choices.map((choice) => (
              <option key={choice} value={choice}>
                {short(choice)}
              </option>
            ))}
          </select>
        ) : (
          <input
            {...control}
            type="text"
            inputMode={type === "number" ? "decimal" : type === "integer" ? "numeric" : "text"}
            autocomplete="off"
            value={value}
            onInput={read}
          />
        )
      }
    </Field>
  );
}

function choicesOf({ type, categories }: FeatureField): string[] | undefined {
  return type === "boolean" ? ["true", "false"] : categories;
}

function whenEmpty({ isKey, isLookedUp, missing }: FeatureField): string {
  if (isKey) return "Says whose features are looked up.";
  if (isLookedUp) return "Looked up when empty.";
  return missing === undefined ? "" : "May be missing.";
}

function emptyChoice({ isLookedUp, missing }: FeatureField): string {
  if (isLookedUp) return "(look up)";
  return missing === undefined ? "(choose)" : "(missing)";
}

function rangeOf({ minimum, maximum }: FeatureField): string {
  if (minimum === undefined && maximum === undefined) return "";
  if (maximum === undefined) return `${minimum} or more`;
  return minimum === undefined ? `${maximum} or less` : `${minimum} to ${maximum}`;
}

/** The value as it is sent. Undefined leaves it out, so that the service says that it is missing. */
function valueOf(feature: FeatureField, typed: string): unknown {
  const { type, categories, isKey, isLookedUp, missing } = feature;
  if (typed.trim() === "" && (isKey || isLookedUp)) return undefined;
  if (type === "string" && !categories && missing === undefined) return typed;
  if (typed.trim() === "") return missing === undefined ? undefined : null;
  if (type === "boolean") return typed === "true";
  if (type === "string") return typed;
  const number = Number(typed);
  return Number.isFinite(number) ? number : typed;
}
