import { useObjectUrl } from "../object-url.ts";
import { percent, short } from "../short.ts";
import { isPicture } from "./boxes.tsx";

interface Segment {
  label: string;
  score?: number;
  /** A PNG in base64, or a run-length code, which is not shown on the picture. */
  mask: unknown;
}

/** What a picture's parts are: their masks on it in colours, and a list. The picture is missing where it was sent as base64. */
export function MasksView({ output, input }: { output: unknown; input: unknown }) {
  const segments = output as Segment[];
  return (
    <>
      {isPicture(input) && <Masked blob={input.blob} segments={segments} />}
      {segments.length === 0 && <p>Nothing was found.</p>}
      <ol class="found">
        {segments.map(({ label, score }, place) => (
          <li>
            <span class="swatch" style={{ background: colourOf(place) }} />
            <bdi>{short(label)}</bdi> {score !== undefined && percent(score)}
          </li>
        ))}
      </ol>
    </>
  );
}

function Masked({ blob, segments }: { blob: Blob; segments: readonly Segment[] }) {
  const url = useObjectUrl(blob);
  return (
    <figure class="masked">
      <img src={url} alt="The image that was sent, with masks" />
      {segments.map(
        ({ mask }, place) =>
          typeof mask === "string" && (
            <div
              style={{
                background: colourOf(place),
                maskImage: `url("data:image/png;base64,${mask}")`,
              }}
            />
          ),
      )}
    </figure>
  );
}

/** Neighbours are far from each other in colour, however many there are. */
function colourOf(place: number): string {
  return `hsl(${(place * 137.5) % 360} 90% 55%)`;
}
