import type { Manifest } from "./api.ts";
import { Field } from "./forms/field.tsx";

/** No version by name: the service chooses one. */
export const RELEASED = "";
/** No second version. */
export const NONE = " ";

interface VersionsProps {
  manifest: Manifest;
  candidates: readonly string[];
  label: string;
  value: string;
  /** Whether there may be no version. */
  optional?: boolean;
  onValue: (value: string) => void;
}

/** A choice of one version, with what is known of each. */
export function Versions({ manifest, candidates, label, value, optional, onValue }: VersionsProps) {
  const { versions, released } = manifest;
  const about = (version: string) =>
    version === released ? ", released" : candidates.includes(version) ? ", on trial" : "";
  return (
    <Field label={label}>
      {(control) => (
        <select
          {...control}
          value={value}
          onChange={({ currentTarget }) => onValue(currentTarget.value)}
        >
          {optional && <option value={NONE}>(none)</option>}
          <option value={RELEASED}>The one that is released</option>
          {versions.map((version) => (
            <option value={version} key={version}>
              {version}
              {about(version)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
