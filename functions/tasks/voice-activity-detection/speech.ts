import type { VoiceParameters } from "./options.ts";

/** A part of a recording, in samples from its beginning. */
export interface Segment {
  start: number;
  end: number;
}

/** What is known of the speech before a window. Places are in samples; undefined where there is nothing. */
export interface SoFar {
  /** Where the next window begins. */
  at: number;
  /** Where the speech that goes on began. */
  start: number | undefined;
  /** Where silence in it began. */
  quiet: number | undefined;
  /** Speech that has ended, whose padding depends on what follows. */
  last: Segment | undefined;
}

export type SpeechParameters = Pick<
  VoiceParameters,
  | "threshold"
  | "neg_threshold"
  | "min_speech_duration_ms"
  | "min_silence_duration_ms"
  | "speech_pad_ms"
>;

/**
 * Makes segments of the probabilities of windows that follow each other, as `get_speech_timestamps` of the package silero-vad does.
 * It goes on from `soFar`, so that a recording in pieces has the segments of the whole.
 */
export class Speech {
  /** Segments that nothing changes any more. */
  readonly segments: Segment[] = [];
  readonly #soFar: SoFar;
  readonly #window: number;
  readonly #threshold: number;
  readonly #negative: number;
  readonly #fewest: number;
  readonly #silence: number;
  readonly #pad: number;

  constructor(
    soFar: SoFar,
    { sampleRate, window }: { sampleRate: number; window: number },
    parameters: SpeechParameters,
  ) {
    const samplesOf = (milliseconds: number) => (sampleRate * milliseconds) / 1000;
    this.#soFar = { ...soFar };
    this.#window = window;
    this.#threshold = parameters.threshold;
    this.#negative = parameters.neg_threshold ?? Math.max(parameters.threshold - 0.15, 0.01);
    this.#fewest = samplesOf(parameters.min_speech_duration_ms);
    this.#silence = samplesOf(parameters.min_silence_duration_ms);
    this.#pad = samplesOf(parameters.speech_pad_ms);
  }

  get soFar(): SoFar {
    return { ...this.#soFar };
  }

  /** Where the speech that goes on begins, with its padding. Undefined in silence. */
  get speakingSince(): number | undefined {
    const { start } = this.#soFar;
    return start === undefined ? undefined : this.#padded(start);
  }

  /** Takes the probability of the next window. `received` is how many samples have come, all windows before included. */
  hear(probability: number, received: number): void {
    const soFar = this.#soFar;
    const { at } = soFar;
    if (probability >= this.#threshold) soFar.quiet = undefined;
    if (probability >= this.#threshold && soFar.start === undefined) soFar.start = at;
    else if (probability < this.#negative && soFar.start !== undefined) {
      soFar.quiet ??= at;
      if (at - soFar.quiet >= this.#silence) this.#endAt(soFar.quiet, received);
    }
    soFar.at += this.#window;
    const { last, start = soFar.at } = soFar;
    if (last && start - last.end >= 2 * this.#pad) this.#settle(last, received);
  }

  /** The recording is over. */
  end(received: number): void {
    this.#endAt(received, received);
    const { last } = this.#soFar;
    if (last) this.#settle(last, received);
  }

  /** Ends the speech that goes on, if any. */
  #endAt(end: number, received: number): void {
    const { start, last } = this.#soFar;
    this.#soFar.start = this.#soFar.quiet = undefined;
    if (start === undefined || end - start <= this.#fewest) return;
    const padded = this.#padded(start);
    if (last) this.#settle(last, received, start);
    this.#soFar.last = { start: padded, end };
  }

  /** Silence that is too short for the padding of both sides is shared. */
  #padded(start: number): number {
    const { last } = this.#soFar;
    const before = last ? start - last.end : Infinity;
    const pad = before < 2 * this.#pad ? Math.floor(before / 2) : this.#pad;
    return Math.max(0, Math.trunc(start - pad));
  }

  #settle({ start, end }: Segment, received: number, next = Infinity): void {
    const after = next - end;
    const padded = after < 2 * this.#pad ? end + Math.floor(after / 2) : end + this.#pad;
    this.segments.push({ start, end: Math.min(received, Math.trunc(padded)) });
    this.#soFar.last = undefined;
  }
}
