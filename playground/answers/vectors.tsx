import { useState } from "preact/hooks";
import { Field } from "../forms/field.tsx";
import { readable, short } from "../short.ts";
import { Bars } from "./bars.tsx";
import type { Row } from "./rows.ts";

type Vector = number[];

/** Texts by how near their vectors are to that of one of them. A single vector is only described. */
export function VectorsView({ rows }: { rows: readonly Row[] }) {
  const [chosen, setChosen] = useState(0);
  const vectors = rows.map(({ output }) => output);
  if (rows.length < 2 || !vectors.every(isVector)) return <Shape output={vectors[0]} />;
  const at = Math.min(chosen, rows.length - 1);
  const from = vectors[at] ?? [];
  const bars = rows
    .map(({ title = "" }, index) => ({
      label: short(title),
      value: cosine(from, vectors[index] ?? []),
    }))
    .toSpliced(at, 1)
    .toSorted((one, other) => other.value - one.value);
  return (
    <>
      <Field label="Nearest to">
        {(control) => (
          <select
            {...control}
            value={at}
            onChange={({ currentTarget }) => setChosen(Number(currentTarget.value))}
          >
            {rows.map(({ title = "" }, index) => (
              <option value={index} key={index}>
                {title.slice(0, 60)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Bars plain caption={`Cosines of vectors of ${from.length} numbers`} bars={bars} />
    </>
  );
}

function Shape({ output }: { output: unknown }) {
  if (isVector(output))
    return (
      <p>
        A vector of {output.length} numbers and length {readable(Math.hypot(...output))}. Add a text
        to compare it.
      </p>
    );
  return <p>{Array.isArray(output) ? `${output.length} numbers or vectors.` : ""}</p>;
}

function isVector(output: unknown): output is Vector {
  return Array.isArray(output) && output.every((one) => typeof one === "number");
}

function cosine(one: Vector, other: Vector): number {
  const product = one.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0);
  return product / (Math.hypot(...one) * Math.hypot(...other) || 1);
}
