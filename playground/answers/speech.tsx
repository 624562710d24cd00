import { useRef } from "preact/hooks";
import { useObjectUrl } from "../object-url.ts";
import { readable } from "../short.ts";
import { isPicture } from "./boxes.tsx";

interface Segment {
  start: number;
  end: number;
}

/** Where somebody speaks: a list, whose parts can be heard. The recording is missing where it was sent as base64. */
export function SpeechView({ output, input }: { output: unknown; input: unknown }) {
  const { segments, speaking_since: since } = output as {
    segments: Segment[];
    speaking_since?: number;
  };
  if (since === undefined && segments.length === 0) return <p>Nobody speaks in it.</p>;
  return (
    <>
      {segments.length > 0 && <Segments segments={segments} input={input} />}
      {since !== undefined && <p>Somebody still speaks at its end, from {readable(since)} s on.</p>}
    </>
  );
}

function Segments({ segments, input }: { segments: readonly Segment[]; input: unknown }) {
  if (isPicture(input)) return <Heard blob={input.blob} segments={segments} />;
  return (
    <ol class="found">
      {segments.map((segment) => (
        <li>{timesOf(segment)}</li>
      ))}
    </ol>
  );
}

function Heard({ blob, segments }: { blob: Blob; segments: readonly Segment[] }) {
  const url = useObjectUrl(blob);
  const player = useRef<HTMLAudioElement>(null);
  const play = (start: number) => {
    if (!player.current) return;
    player.current.currentTime = start;
    void player.current.play();
  };
  return (
    <>
      <audio ref={player} src={url} controls aria-label="The recording that was sent" />
      <ol class="found">
        {segments.map((segment) => (
          <li>
            <button type="button" onClick={() => play(segment.start)}>
              {timesOf(segment)}
            </button>
          </li>
        ))}
      </ol>
    </>
  );
}

function timesOf({ start, end }: Segment): string {
  return `${readable(start)} to ${readable(end)} s`;
}
