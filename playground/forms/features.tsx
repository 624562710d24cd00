import type { Feature } from "../api.ts";
import { short } from "../short.ts";
import { Field } from "./field.tsx";
import { mistakesAt, type Form, type FormProps } from "./form.ts";

/** What is typed for each feature. */
type Draft = Record<string, string>;

/** A field for each feature. What is no number is sent as it is, and the service says what is wrong with it. */
export const featuresForm: Form<Draft> = {
  from(inputs, { features = [] }) {
    if (typeof inputs !== "object" || inputs === null) return undefined;
    const row = Array.isArray(inputs)
      ? Object.fromEntries(features.map(({ name }, index) => [name, inputs[index] as unknown]))
      : (inputs as Record<string, unknown>);
    const values = features.map(({ name }) => row[name] ?? "");
    if (values.some((value) => typeof value === "object")) return undefined;
    if (Object.keys(row).some((name) => !features.some((one) => one.name === name)))
      return undefined;
    return Object.fromEntries(
      features.map(({ name }, index) => [name, String(values[index] as string | number | boolean)]),
    );
  },
  empty: () => ({}),
  inputs: (draft, { features = [] }) =>
    Object.fromEntries(
      features.flatMap((feature) => {
        const value = valueOf(feature, draft[feature.name] ?? "");
        return value === undefined ? [] : [[feature.name, value]];
      }),
    ),
  View: FeaturesView,
};

function FeaturesView({ draft, onChange, manifest, mistakes }: FormProps<Draft>) {
  return (
    <div class="features">
      {(manifest.features ?? []).map((feature) => (
        <FeatureField
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

interface FeatureFieldProps {
  feature: Feature;
  value: string;
  mistake: string;
  onInput: (value: string) => void;
}

function FeatureField({ feature, value, mistake, onInput }: FeatureFieldProps) {
  const { name, type, unit, description } = feature;
  const choices = choicesOf(feature);
  const read = (event: { currentTarget: { value: string } }) => onInput(event.currentTarget.value);
  const hint = [description, rangeOf(feature), mayMiss(feature) && "May be missing."]
    .filter(Boolean)
    .join(". ");
  return (
    <Field
      label={short(unit ? `${name} (${unit})` : name)}
      hint={hint && short(hint)}
      mistake={mistake}
    >
      {(control) =>
        choices ? (
          <select {...control} value={value} onChange={read}>
            <option value="">{mayMiss(feature) ? "(missing)" : "(choose)"}</option>
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

function choicesOf({ type, categories }: Feature): string[] | undefined {
  return type === "boolean" ? ["true", "false"] : categories;
}

function mayMiss({ missing }: Feature): boolean {
  return missing !== undefined;
}

function rangeOf({ minimum, maximum }: Feature): string {
  if (minimum === undefined && maximum === undefined) return "";
  if (maximum === undefined) return `${minimum} or more`;
  return minimum === undefined ? `${maximum} or less` : `${minimum} to ${maximum}`;
}

/** The value as it is sent. Undefined leaves it out, so that the service says that it is missing. */
function valueOf(feature: Feature, typed: string): unknown {
  const { type, categories } = feature;
  if (type === "string" && !categories && !mayMiss(feature)) return typed;
  if (typed.trim() === "") return mayMiss(feature) ? null : undefined;
  if (type === "boolean") return typed === "true";
  if (type === "string") return typed;
  const number = Number(typed);
  return Number.isFinite(number) ? number : typed;
}
