import { percent, readable, short } from "../short.ts";
import { Bars } from "./bars.tsx";

/** A label with its scores, or with the decision values of a model that has no probabilities. */
export interface Classified {
  label: string;
  labels?: string[];
  score?: number;
  scores?: Record<string, number>;
  decision_values?: Record<string, number>;
}

export function isClassified(output: unknown): output is Classified {
  return isObject(output) && typeof output["label"] === "string";
}

export function ClassificationView({ output }: { output: Classified }) {
  const { label, labels, score, scores, decision_values: decisions } = output;
  const numbers = scores ?? decisions;
  return (
    <>
      <p class="headline">
        <bdi>{short(labels ? labels.join(", ") || "None of the labels" : label)}</bdi>
        {score !== undefined && <small class="number"> {percent(score)}</small>}
      </p>
      {numbers && (
        <Bars
          caption={scores ? "Scores" : "Decision values"}
          bars={Object.entries(numbers)
            .toSorted(([, one], [, other]) => other - one)
            .map(([name, value]) => ({ label: short(name), value }))}
          plain={!scores}
        />
      )}
    </>
  );
}

/** A number with its unit, or several by name. */
export interface Regressed {
  value?: number;
  values?: Record<string, number>;
  unit?: string;
}

export function isRegressed(output: unknown): output is Regressed {
  return isObject(output) && (typeof output["value"] === "number" || isObject(output["values"]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

export function RegressionView({ output: { value, values, unit } }: { output: Regressed }) {
  if (value !== undefined)
    return (
      <p class="headline">
        <span class="number">{readable(value)}</span>
        {unit !== undefined && <bdi> {short(unit)}</bdi>}
      </p>
    );
  const bars = Object.entries(values ?? {}).map(([name, value]) => ({ label: short(name), value }));
  const caption = unit === undefined ? "Values" : `Values (${short(unit)})`;
  return <Bars caption={caption} bars={bars} plain />;
}

/** Whether a row is unusual. */
export interface Anomaly {
  anomaly: boolean;
  score: number;
}

export function isAnomaly(output: unknown): output is Anomaly {
  return isObject(output) && typeof output["anomaly"] === "boolean";
}

export function AnomalyView({ output: { anomaly, score } }: { output: Anomaly }) {
  return (
    <p class="headline">
      {anomaly ? "Unusual" : "Usual"} <small class="number">score {readable(score, 4)}</small>
    </p>
  );
}
