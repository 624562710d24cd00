import { readGraph, type Graph, type TensorInfo } from "../../functions/platform/onnx/graph.ts";
import type { VoiceSettings } from "../../functions/tasks/voice-activity-detection/options.ts";
import type { Draft } from "./from-file.ts";

export const VOICE_ACTIVITY_DETECTION = "voice-activity-detection";

/** How Silero's graphs hear 16,000 samples a second. The first ones, with fewer numbers of state, get no context. */
const WINDOW = { sampleRate: 16_000, window: 512 };
const CONTEXT = 64;

/** Names and sizes of Silero's graphs: `input` besides the state, and `sr` in most of them. */
const KINDS = [
  { state: { state: "stateN" }, size: 128, voice: { ...WINDOW, context: CONTEXT } },
  { state: { h: "hn", c: "cn" }, size: 64, voice: WINDOW },
  // `silero_vad_16k_sequence.onnx` takes windows of one recording.
  {
    state: { h: "hn", c: "cn" },
    size: 128,
    voice: { ...WINDOW, context: CONTEXT, windowsAtOnce: 512 },
  },
] as const satisfies { state: Record<string, string>; size: number; voice: VoiceSettings }[];

const NOTE =
  "It is Silero's voice activity detection, for 16,000 samples a second. Recordings of other rates are resampled.";
const NOTE_ON_8000 = `For telephone sound, it also takes 8,000: add it with --task ${VOICE_ACTIVITY_DETECTION} --options '{"voice": {"sampleRate": 8000, "window": 256, "context": 32}, "state": {"state": "stateN"}}'`;

/** A graph of Silero's by its names and shapes. Undefined for any other. */
export function voiceDraftOf(graph: Graph): Draft | undefined {
  const { inputs, outputs } = graph;
  const names = inputs.map(({ name }) => name).filter((name) => name !== "sr");
  const kind = KINDS.find(
    ({ state, size }) =>
      String(names.toSorted()) === String(["input", ...Object.keys(state)].toSorted()) &&
      outputs.length === Object.keys(state).length + 1 &&
      Object.entries(state).every(
        ([name, next]) =>
          inputs.find((one) => one.name === name)?.shape.at(-1) === size &&
          outputs.some((one) => one.name === next),
      ),
  );
  if (!kind) return undefined;
  const { state, voice } = kind;
  const pairs = Object.entries(state);
  const takesOther = inputs.some(({ name }) => name === "sr") && "context" in voice;
  return {
    graph,
    assets: [],
    notes: [NOTE, ...(takesOther ? [NOTE_ON_8000] : [])],
    manifest: {
      task: VOICE_ACTIVITY_DETECTION,
      batchDimension: null,
      inputs,
      outputs: outputs.map((output) => withShapeOf(inputs, output, pairs)),
      voice,
      state,
    },
  };
}

/** A model file that finds speech. Throws an Error for one that only its owner knows. */
export async function draftForVoice(path: string): Promise<Draft> {
  const draft = voiceDraftOf(await readGraph(path));
  if (draft) return draft;
  throw new Error(
    `${path} is none of Silero's graphs. Say how it hears: --options '{"voice": {"sampleRate": 16000, "window": 512, "context": 0}, "state": {"h": "hn"}}', with an input and an output of the state.`,
  );
}

/** The output of a state is as large as its input, which the graph does not always say. */
function withShapeOf(
  inputs: readonly TensorInfo[],
  output: TensorInfo,
  pairs: readonly (readonly [input: string, output: string])[],
): TensorInfo {
  const [name] = pairs.find(([, next]) => next === output.name) ?? [];
  const input = inputs.find((one) => one.name === name);
  return input ? { ...output, shape: input.shape } : output;
}
