import type { Feature } from "@nearcast/client";
import { usePrediction } from "@nearcast/client/react";
import { useEffect, useState } from "react";
import { Card, MadeBy, Problem, Scores } from "./Card.tsx";
import { client, type Flower } from "./nearcast.ts";

/** The features of the released version, with units and ranges. */
function useFeatures(model: "iris") {
  const [features, setFeatures] = useState<Feature[]>([]);
  const [error, setError] = useState<Error>();
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    async function read() {
      try {
        const description = await client.model(model, { signal: controller.signal });
        setFeatures(description.features ?? []);
        setError(undefined);
      } catch (reason) {
        if (!controller.signal.aborted) setError(reason as Error);
      }
    }
    void read();
    return () => controller.abort();
  }, [model, attempt]);
  return { features, error, retry: () => setAttempt((last) => last + 1) };
}

export function FlowerForm() {
  const { features, error: unread, retry } = useFeatures("iris");
  const [typed, setTyped] = useState<Record<string, string>>({
    sepal_length: "5.1",
    sepal_width: "3.5",
    petal_length: "1.4",
    petal_width: "0.2",
  });
  // An empty field is left out, and the service says that it is missing.
  const filled = Object.entries(typed).filter(([, value]) => value !== "");
  const flower: Flower = Object.fromEntries(filled.map(([name, value]) => [name, Number(value)]));
  const { data, prediction, error, fieldErrors, isPending, isPrevious, refetch } = usePrediction(
    client,
    "iris",
    flower,
    { debounceMs: 200, keepPreviousData: true },
  );
  const isAtFields = features.some(({ name }) => name in fieldErrors);

  return (
    <Card title="Which iris is it?" about="Change a measurement. The answer follows.">
      <div className="fields">
        {features.map(({ name, unit, minimum, maximum }) => (
          <div className="field" key={name}>
            <label htmlFor={name}>{name.replace("_", " ")}</label>
            <input
              id={name}
              type="number"
              inputMode="decimal"
              step="any"
              min={minimum}
              max={maximum}
              value={typed[name] ?? ""}
              aria-invalid={name in fieldErrors}
              aria-describedby={`${name}-hint ${name}-error`}
              onChange={({ target }) => setTyped({ ...typed, [name]: target.value })}
            />
            <small id={`${name}-hint`}>
              {minimum} to {maximum} {unit}
            </small>
            <p id={`${name}-error`} className="field-error" aria-live="polite">
              {fieldErrors[name]}
            </p>
          </div>
        ))}
      </div>
      <Problem error={unread} retry={retry} />
      <Problem error={isAtFields ? undefined : error} retry={refetch} />
      <output className={isPrevious || error ? "answer old" : "answer"} aria-busy={isPending}>
        {data && (
          <>
            <strong>{data.label}</strong>
            <Scores scores={data.scores} />
          </>
        )}
      </output>
      <MadeBy prediction={prediction} isPending={isPending} />
    </Card>
  );
}
