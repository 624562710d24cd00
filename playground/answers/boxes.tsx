import { useState } from "preact/hooks";
import type { Picture } from "../api.ts";
import { useObjectUrl } from "../object-url.ts";
import { percent, short } from "../short.ts";

interface Found {
  label: string;
  score: number;
  box: { xmin: number; ymin: number; xmax: number; ymax: number };
}

/** What was found in a picture: its boxes on it, and a list. The picture is missing where it was sent as base64. */
export function BoxesView({ output, input }: { output: unknown; input: unknown }) {
  const found = output as Found[];
  return (
    <>
      {isPicture(input) && <Boxed blob={input.blob} found={found} />}
      {found.length === 0 && <p>Nothing was found.</p>}
      <ol class="found">
        {found.map(({ label, score, box: { xmin, ymin, xmax, ymax } }) => (
          <li>
            <bdi>{short(label)}</bdi> {percent(score)}{" "}
            <small>
              {xmin}, {ymin} to {xmax}, {ymax}
            </small>
          </li>
        ))}
      </ol>
    </>
  );
}

function Boxed({ blob, found }: { blob: Blob; found: readonly Found[] }) {
  const url = useObjectUrl(blob);
  const [size, setSize] = useState<{ width: number; height: number }>();
  return (
    <figure class="boxed">
      <img
        src={url}
        alt="The image that was sent, with boxes"
        onLoad={({ currentTarget: { naturalWidth: width, naturalHeight: height } }) =>
          setSize({ width, height })
        }
      />
      {size && (
        <svg viewBox={`0 0 ${size.width} ${size.height}`} aria-hidden="true">
          {found.map(({ box: { xmin, ymin, xmax, ymax } }) => (
            <rect
              x={xmin}
              y={ymin}
              width={Math.max(0, xmax - xmin)}
              height={Math.max(0, ymax - ymin)}
            />
          ))}
        </svg>
      )}
    </figure>
  );
}

export function isPicture(input: unknown): input is Picture {
  return typeof input === "object" && input !== null && "blob" in input;
}
