import { percent, short } from "../short.ts";
import { Bars } from "./bars.tsx";
import { Marked, type Span } from "./marked.tsx";

interface Props<Output, Input> {
  output: Output;
  input: Input;
}

interface Entity extends Span {
  entity?: string;
  entity_group?: string;
  word: string;
}

export function EntitiesView({ output, input }: Props<Entity[], string>) {
  const spans = output.map((one) => ({ ...one, label: one.entity_group ?? one.entity }));
  return (
    <>
      <Marked text={input} spans={spans} />
      {output.length === 0 && <p>Nothing was found in it.</p>}
    </>
  );
}

/** What stands in a picture. */
interface Read {
  generated_text: string;
  score?: number;
}

export function isRead(output: unknown): output is Read {
  return typeof output === "object" && output !== null && "generated_text" in output;
}

export function ReadView({ output: { generated_text: text, score } }: Props<Read, string>) {
  return (
    <p class="headline">
      <bdi>{short(text) || "No text was found in it"}</bdi>
      {score !== undefined && text !== "" && <small class="number"> {percent(score)}</small>}
    </p>
  );
}

interface Found extends Span {
  answer: string;
}

export function FoundView({ output, input }: Props<Found | Found[], { context: string }>) {
  const found = [output].flat();
  return (
    <>
      <p class="headline">
        <bdi>{short(found[0]?.answer || "The text has no answer")}</bdi>
      </p>
      <Marked
        text={input.context}
        spans={found.filter(({ start, end }) => end > start).slice(0, 1)}
      />
      <Bars
        caption="Answers"
        bars={found.map(({ answer, score }) => ({
          label: short(answer) || "(none)",
          value: score,
        }))}
      />
    </>
  );
}

export function LabelsView({ output }: Props<{ label: string; score: number }[], unknown>) {
  return (
    <>
      <p class="headline">
        <bdi>{short(output[0]?.label ?? "")}</bdi>
      </p>
      <Bars
        caption="Scores"
        bars={output.map(({ label, score }) => ({ label: short(label), value: score }))}
      />
    </>
  );
}

interface Filled {
  token_str: string;
  sequence: string;
  score: number;
}

export function FilledView({ output }: Props<Filled[] | Filled[][], unknown>) {
  const masks = Array.isArray(output[0]) ? (output as Filled[][]) : [output as Filled[]];
  return (
    <>
      {masks.map((filled, index) => (
        <Bars
          caption={masks.length > 1 ? `Words for mask ${index + 1}` : "Words for the mask"}
          bars={filled.map(({ token_str: word, sequence, score }) => ({
            label: (
              <>
                <strong>{short(word)}</strong> <small>{short(sequence)}</small>
              </>
            ),
            value: score,
          }))}
        />
      ))}
    </>
  );
}

type Ranked = { index: number; score: number }[];

export function RankedView({ output, input }: Props<Ranked, { texts: string[] }>) {
  const bars = output.map(({ index, score }) => ({
    label: short(input.texts[index] ?? ""),
    value: score,
  }));
  return <Bars plain caption="Texts, best first" bars={bars} />;
}

export function SimilarView({ output, input }: Props<number[], { sentences: string[] }>) {
  const bars = output.map((value, index) => ({
    label: short(input.sentences[index] ?? ""),
    value,
  }));
  return (
    <Bars
      plain
      caption="Cosine with the sentence"
      bars={bars.toSorted((one, other) => other.value - one.value)}
    />
  );
}

export function ItemsView({
  output,
}: Props<{ id: string; name: string; score: number }[], unknown>) {
  const bars = output.map(({ id, name, score }) => ({
    label: (
      <>
        {short(name)} <small>{short(id)}</small>
      </>
    ),
    value: score,
  }));
  return <Bars plain caption="Items, best first" bars={bars} />;
}
