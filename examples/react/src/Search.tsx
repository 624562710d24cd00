import { usePrediction } from "@nearcast/client/react";
import { useState } from "react";
import { Card, MadeBy, Problem } from "./Card.tsx";
import { client } from "./nearcast.ts";

const TEXTS = [
  "Red retrospot lunch bag",
  "Green gingham book box",
  "Set of ten night owl lights",
  "Wooden heart Christmas decoration",
  "Pink bakelike alarm clock",
  "Silver tea glass, etched",
  "Victorian glass hanging lantern",
  "Picture frame with a white finish",
  "Spaceboy breakfast set for children",
  "Paper chain kit, fifties Christmas",
];

/** The vectors have length 1, so this is their cosine. */
function cosine(one: number[], other: number[]): number {
  return one.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0);
}

export function Search() {
  const [query, setQuery] = useState("");
  const texts = usePrediction(client, "search", TEXTS);
  const asked = usePrediction(client, "search", query.trim() || undefined, {
    debounceMs: 200,
    keepPreviousData: true,
  });
  const ranked = TEXTS.map((text, index) => {
    const vector = texts.data?.[index];
    return { text, score: asked.data && vector ? cosine(asked.data, vector) : undefined };
  }).sort((one, other) => (other.score ?? 0) - (one.score ?? 0));

  return (
    <Card title="Where is it?" about="Misspelt and reordered words are found too.">
      <input
        type="search"
        aria-label="Search the texts"
        placeholder="owl lihgts"
        value={query}
        onChange={({ target }) => setQuery(target.value)}
      />
      <Problem
        error={texts.error ?? asked.error}
        retry={() => (texts.error ? texts : asked).refetch()}
      />
      <ol className="found" aria-label="Texts" aria-live="polite">
        {ranked.slice(0, 5).map(({ text, score }) => (
          <li key={text}>
            {text} {score !== undefined && <small>{score.toFixed(2)}</small>}
          </li>
        ))}
      </ol>
      <MadeBy prediction={asked.prediction ?? texts.prediction} isPending={asked.isPending} />
    </Card>
  );
}
