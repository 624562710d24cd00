import { expect, test } from "vitest";
import { voiceParameters } from "../../functions/tasks/voice-activity-detection/options.ts";
import { numbersOfSoFar, soFarOf } from "../../functions/tasks/voice-activity-detection/so-far.ts";
import { Speech, type Segment } from "../../functions/tasks/voice-activity-detection/speech.ts";
import { recordedVoices, type HeardByLibrary } from "./voice.ts";

const { recipes, parameters, models } = recordedVoices;

const VOICE = { sampleRate: 16_000, window: 512 };

/** The samples of a recording at 16,000 a second. */
function lengthOf({ parts, rate }: (typeof recipes)[number]): number {
  const length = parts.reduce((sum, [, own]) => sum + own, 0);
  return Math.ceil((Math.floor((length * rate) / 16_000) * 16_000) / rate);
}

/** Segments of the recorded probabilities, in pieces of so many windows. */
function segmentsOf({ probabilities }: HeardByLibrary, at: number, windows: number): Segment[] {
  const own = voiceParameters.parse(parameters[at % parameters.length]);
  const received = lengthOf(recipes[at]!);
  const segments: Segment[] = [];
  let numbers: Float64Array = Float64Array.of(0, -1, -1, -1, -1);
  for (let from = 0; from < probabilities.length; from += windows) {
    const speech = new Speech(soFarOf(numbers)!, VOICE, own);
    const to = from + windows;
    const isLast = to >= probabilities.length;
    for (const probability of probabilities.slice(from, to))
      speech.hear(probability, isLast ? received : to * 512);
    if (isLast) speech.end(received);
    segments.push(...speech.segments);
    numbers = numbersOfSoFar(speech.soFar);
  }
  return segments;
}

test.each([Infinity, 1, 7])("in pieces of %d windows, segments are the library's", (windows) => {
  for (const heard of Object.values(models))
    for (const [at, one] of heard.entries()) {
      const made = segmentsOf(one, at, Math.min(windows, 1e6));
      expect({ at, made: made.map(({ start, end }) => [start, end]) }).toEqual({
        at,
        made: one.segments,
      });
    }
});
