import { Fragment } from "preact";
import { percent, short } from "../short.ts";

/** A part of a text. `start` and `end` count Unicode characters. */
export interface Span {
  start: number;
  end: number;
  label?: string | undefined;
  score: number;
}

const LONGEST = 10_000;

/** A text with its parts marked. Of parts that overlap, the first is. */
export function Marked({ text, spans }: { text: string; spans: readonly Span[] }) {
  const letters = Array.from(text).slice(0, LONGEST);
  const slice = (start: number, end?: number) => letters.slice(start, end).join("");
  let at = 0;
  const pieces = spans
    .toSorted((one, other) => one.start - other.start)
    .flatMap((span) => {
      if (span.start < at || span.end > letters.length) return [];
      const before = slice(at, span.start);
      at = span.end;
      return [{ before, inside: slice(span.start, span.end), ...span }];
    });
  return (
    <p class="marked" dir="auto">
      {pieces.map(({ before, inside, label, score }) => (
        <Fragment>
          {before}
          <mark>
            {inside}
            <small>
              {label !== undefined && <bdi> {short(label)}</bdi>} {percent(score)}
            </small>
          </mark>
        </Fragment>
      ))}
      {slice(at)}
    </p>
  );
}
