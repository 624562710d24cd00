import { isFinal, type Job } from "../jobs/job.ts";
import { Line } from "../line.ts";

/** How often the job is looked at, and after how long an idle stream sends a comment that keeps it open. */
const LOOK_MS = 500;
const COMMENT_MS = 15_000;
/** A client that is still there after this time comes again with `Last-Event-ID`. */
const LONGEST_MS = 300_000;
/** The most streams at once. Each has its job read twice a second. */
const MOST_STREAMS = 1000;
/** How soon a client comes again to whom one answer tells only the next changes. */
const AGAIN_MS = 500;

/** The streams of an instance that are open, oldest first. */
export class EventStreams extends Line<{ isOver: boolean }> {
  /** Beyond the most, the oldest one ends: its client comes again with `Last-Event-ID`. */
  override enter(value: { isOver: boolean }) {
    const { first } = this;
    if (first && this.size >= MOST_STREAMS) {
      first.value.isOver = true;
      this.leave(first);
    }
    return super.enter(value);
  }
}

interface EventOptions {
  streams: EventStreams;
  /** The place of the last event that the client knows. */
  seen: number;
  /** Where an answer leaves as a whole: within how many milliseconds. Then it ends with the first changes. */
  wholeWithinMs?: number | undefined;
}

/**
 * A job's changes as Server-Sent Events, from the one after `seen` on, until its last. The id of an event is its place
 * among all of the job.
 */
export function jobEvents(
  job: Job,
  read: () => Promise<Job>,
  { streams, seen, wholeWithinMs }: EventOptions,
): ReadableStream {
  const encoder = new TextEncoder();
  const ends = Date.now() + (wholeWithinMs ?? LONGEST_MS);
  let known = job;
  let next = seen;
  let silentSince = Date.now();
  let isGone = false;
  const place = streams.enter({ isOver: false });
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const send = (text: string) => {
        silentSince = Date.now();
        controller.enqueue(encoder.encode(text));
      };
      const end = () => {
        streams.leave(place);
        controller.close();
      };
      for (;;) {
        const fresh = known.events.slice(next);
        if (fresh.length > 0) {
          const events = fresh.map((event, index) => written(next + index + 1, known.id, event));
          next = known.events.length;
          if (wholeWithinMs === undefined) return send(events.join(""));
          send(`retry: ${AGAIN_MS}\n${events.join("")}`);
          return end();
        }
        if (isFinal(known) || Date.now() > ends || place.value.isOver) return end();
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        if (isGone) return;
        try {
          known = await read();
        } catch {
          // It was removed, or its store does not answer. The client asks again and is told which.
          return end();
        }
        if (Date.now() - silentSince > COMMENT_MS) return send(": still there\n\n");
      }
    },
    cancel() {
      isGone = true;
      streams.leave(place);
    },
  });
}

function written(place: number, id: string, { status, at }: Job["events"][number]): string {
  const data = JSON.stringify({ id, status, at: new Date(at).toISOString() });
  return `id: ${place}\nevent: status\ndata: ${data}\n\n`;
}
