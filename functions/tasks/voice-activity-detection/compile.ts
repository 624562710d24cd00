import { NearcastError } from "../../errors.ts";
import { numbersOf, viewOfRows, type Tensor, type Tensors } from "../../tensor.ts";
import { NUMBER_BYTES } from "../../wire/answer-size.ts";
import { audioQuantities, type Heard } from "../audio/quantities.ts";
import { heardRecordings } from "../audio/recordings.ts";
import type { Wav } from "../audio/wav.ts";
import type { CompiledTask, Parts, Run, TaskVersion } from "../define.ts";
import { readState, writeState, wrongState } from "../state/carried.ts";
import { voiceGraph } from "./graph.ts";
import type { voiceOptions, VoiceParameters } from "./options.ts";
import { Speech, type Segment, type SoFar } from "./speech.ts";
import { numbersOfSoFar, PLACES, soFarOf } from "./so-far.ts";

/** What is kept of a recording, or of a piece of one. */
interface Piece extends Heard {
  soFar: SoFar;
  /** Samples of the whole stream until the end of this piece. */
  received: number;
  /** Samples that the next piece needs: the context, and those that fill no window. */
  rest: Float32Array;
}

interface VoiceAnswer {
  segments: Segment[];
  /** Streams: where the speech begins that goes on. */
  speaking_since?: number;
  probabilities?: number[];
  state?: string;
}

/** Windows that are cut between two pauses: a few milliseconds. */
const WINDOWS_A_PART = 4096;
const SEGMENT_BYTES = '{"start":,"end":},'.length + 2 * NUMBER_BYTES;

/**
 * Finds speech in recordings: the graph gives the probability of each window, and a state that goes into the next. Of a
 * stream, the caller keeps the state between its pieces.
 */
export function compile({
  manifest,
  limits,
}: TaskVersion<typeof voiceOptions>): CompiledTask<VoiceParameters> {
  const { voice, name } = manifest;
  const { sampleRate, window, context, windowsAtOnce } = voice;
  const graph = voiceGraph(manifest);
  const wanted = [
    ...graph.carried,
    { datatype: "FP32", shape: [-1] },
    { datatype: "FP64", shape: [PLACES] },
  ] as const;

  function begun(text: string | undefined): { tensors: Tensors; rest: Float32Array; soFar: SoFar } {
    if (text === undefined) {
      const soFar = { at: 0, start: undefined, quiet: undefined, last: undefined };
      return { tensors: graph.begin(), rest: new Float32Array(context), soFar };
    }
    const read = readState(manifest, text, wanted);
    const [rest, places] = read.slice(-2).map(({ data }) => data) as [Float32Array, Float64Array];
    const soFar = soFarOf(places);
    if (!soFar || rest.length < context || rest.length >= context + window)
      throw wrongState("has other tensors than this model's states");
    const tensors = graph.pairs.map(([input], index) => [input, read[index] as Tensor] as const);
    return { tensors: Object.fromEntries(tensors), rest, soFar };
  }

  function check({ rate }: Wav, parameters: VoiceParameters): void {
    const isPiece = parameters.return_state || parameters.state !== undefined;
    // The filter at the end of a piece would need the beginning of the next one.
    if (isPiece && rate !== sampleRate)
      throw new RangeError(
        `has ${rate} samples a second; a piece of a stream needs the model's ${sampleRate}: resample the stream before it is cut`,
      );
  }

  /** The first windows of samples, each with its context. */
  function* windowsOf(samples: Float32Array, count: number): Parts<Tensor> {
    const width = context + window;
    const data = new Float32Array(count * width);
    for (let index = 0; index < count; index++) {
      if (index > 0 && index % WINDOWS_A_PART === 0) yield;
      const start = index * window;
      data.set(samples.subarray(start, start + width), index * width);
    }
    return { datatype: "FP32", shape: [count, width], data };
  }

  return {
    quantities: audioQuantities(),
    outputNames: [graph.probability, ...graph.pairs.map(([, output]) => output)],
    readsContext: true,
    answerBytes({ feeds }, { return_probabilities }) {
      const count = windowsIn(feeds);
      // The shortest segments have two windows.
      return (count / 2) * SEGMENT_BYTES + (return_probabilities ? count * NUMBER_BYTES : 0);
    },
    *preprocess(rows, { pathOf, parameters, sentBytes }): Parts<Run[]> {
      const { state, return_state } = parameters;
      if (state !== undefined && rows.length > 1)
        throw wrongState("goes on with one recording: send one input");
      const before = begun(state);
      const { heard, seconds } = yield* heardRecordings(rows, {
        sampleRate,
        maxSeconds: limits.audioSeconds,
        // A stream may end without further sound.
        mayBeEmpty: state !== undefined && !return_state,
        check: (wav) => check(wav, parameters),
        pathOf,
        sentBytes,
      });
      const runs: Run[] = [];
      for (const { samples, ...about } of heard) {
        yield;
        const fresh = before.rest.length - context + samples.length;
        // What is behind the last recording is silence.
        const count = return_state ? Math.floor(fresh / window) : Math.ceil(fresh / window);
        const all = new Float32Array(context + Math.max(count * window, fresh));
        all.set(before.rest);
        all.set(samples, before.rest.length);
        const piece: Piece = {
          ...about,
          soFar: before.soFar,
          received: before.soFar.at + fresh,
          rest: all.slice(count * window),
        };
        runs.push({
          feeds: {
            ...graph.constant,
            ...before.tensors,
            [graph.samples]: yield* windowsOf(all, count),
          },
          rows: 1,
          context: [piece],
        });
      }
      const [first] = runs;
      // The count is for the whole request.
      if (first) first.seconds = seconds;
      return runs;
    },
    *steps(feeds) {
      const count = windowsIn(feeds);
      const probabilities = new Float32Array(count);
      const all = feeds[graph.samples] as Tensor;
      let state = graph.pairs.map(([input]) => feeds[input] as Tensor);
      for (let from = 0; from < count; from += windowsAtOnce) {
        const windows = viewOfRows(all, from, Math.min(windowsAtOnce, count - from));
        const outputs = yield {
          ...feeds,
          ...Object.fromEntries(graph.pairs.map(([input], at) => [input, state[at] as Tensor])),
          [graph.samples]: windows,
        };
        const numbers = numbersOf(outputs[graph.probability]?.data);
        if (!numbers || numbers.length !== windows.shape[0])
          throw new NearcastError(
            "model_corrupt",
            `The model ${name} answers with ${numbers?.length ?? "no"} numbers for ${windows.shape[0]} windows.`,
          );
        probabilities.set(numbers, from);
        state = graph.pairs.map(([, output]) => outputs[output] as Tensor);
      }
      return {
        [graph.probability]: { datatype: "FP32", shape: [count], data: probabilities },
        ...Object.fromEntries(graph.pairs.map(([, output], at) => [output, state[at] as Tensor])),
      };
    },
    postprocess(outputs, { context: pieces }, parameters) {
      const [{ soFar, received, rest }] = pieces as [Piece];
      const probabilities = outputs[graph.probability]?.data as Float32Array;
      const state = graph.pairs.map(([, output]) => outputs[output] as Tensor);
      checkNumbers([probabilities, ...state.map(({ data }) => data)], parameters);
      const speech = new Speech(soFar, voice, parameters);
      for (const probability of probabilities) speech.hear(probability, received);
      if (!parameters.return_state) speech.end(received);
      const since = speech.speakingSince;
      const answer: VoiceAnswer = {
        segments: speech.segments.map(({ start, end }) => ({
          start: start / sampleRate,
          end: end / sampleRate,
        })),
        ...(since !== undefined && { speaking_since: since / sampleRate }),
        ...(parameters.return_probabilities && { probabilities: [...probabilities] }),
      };
      if (!parameters.return_state) return [answer];
      const carried: Tensor[] = [
        ...state,
        { datatype: "FP32", shape: [rest.length], data: rest },
        { datatype: "FP64", shape: [PLACES], data: numbersOfSoFar(speech.soFar) },
      ];
      return [{ ...answer, state: writeState(manifest, carried) }];
    },
  };

  function windowsIn(feeds: Tensors): number {
    return feeds[graph.samples]?.shape[0] ?? 0;
  }

  /** A state that a caller made up may let the network overflow. */
  function checkNumbers(all: readonly Tensor["data"][], { state }: VoiceParameters): void {
    if (all.every((data) => numbersOf(data)?.every(Number.isFinite) ?? true)) return;
    if (state !== undefined) throw wrongState("is one from which the model makes no numbers");
    throw new NearcastError("model_corrupt", `The model ${name} answers with no numbers.`);
  }
}
