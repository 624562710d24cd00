import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { percent, readable } from "../short.ts";

export interface Bar {
  label: ComponentChildren;
  value: number;
}

interface BarsProps {
  caption: string;
  bars: readonly Bar[];
  /** Whether the values are no shares of 1, even if they look so. */
  plain?: boolean;
}

const FIRST = 10;

/** Rows with a bar each, as wide as their share of the largest. Shares of 1 are in percent. */
export function Bars({ caption, bars, plain = false }: BarsProps) {
  const [showsAll, setShowsAll] = useState(false);
  const isShare = !plain && bars.every(({ value }) => value >= 0 && value <= 1);
  const largest = isShare ? 1 : Math.max(...bars.map(({ value }) => Math.abs(value)), 1e-30);
  return (
    <>
      <table class="bars">
        <caption>{caption}</caption>
        <tbody>
          {(showsAll ? bars : bars.slice(0, FIRST)).map(({ label, value }) => (
            <tr>
              <th scope="row">
                <bdi>{label}</bdi>
              </th>
              <td class="number">{isShare ? percent(value) : readable(value, 4)}</td>
              <td class="bar" aria-hidden="true">
                <div
                  class={value < 0 ? "negative" : ""}
                  style={{ width: `${(Math.abs(value) / largest) * 100}%` }}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {bars.length > FIRST && !showsAll && (
        <button type="button" onClick={() => setShowsAll(true)}>
          Show all {bars.length}
        </button>
      )}
    </>
  );
}
