import { AUDIO_SCHEMA } from "../audio/options.ts";
import { defineTask } from "../define.ts";
import { voiceOptions, voiceParameters } from "./options.ts";

const SECONDS = {
  type: "number",
  description: "In seconds from the beginning of the recording, or of the stream.",
};

export const voiceActivityDetection = defineTask({
  name: "voice-activity-detection",
  about:
    "A recording in, as a WAV file, raw samples or base64 in JSON, where somebody speaks in it out. Of a stream, a piece and the state of the piece before.",
  options: voiceOptions,
  parameters: voiceParameters,
  input: "audio",
  hasOwnBatches: true,
  carriesState: true,
  async compile(version) {
    const { compile } = await import("./compile.ts");
    return compile(version);
  },
  schema: () => ({
    input: AUDIO_SCHEMA,
    output: {
      type: "object",
      required: ["segments"],
      properties: {
        segments: {
          type: "array",
          description:
            "Where somebody speaks, in order. Of a piece of a stream: the segments that it completes.",
          items: {
            type: "object",
            required: ["start", "end"],
            properties: { start: SECONDS, end: SECONDS },
          },
        },
        speaking_since: {
          ...SECONDS,
          description: "With `return_state`: where the speech begins that goes on.",
        },
        probabilities: {
          type: "array",
          description: "With `return_probabilities`: that of each window.",
          items: { type: "number" },
        },
        state: { type: "string", description: "With `return_state`: for the next call." },
      },
    },
  }),
  examples: async () => [(await import("../audio/example.ts")).chirp()],
  async quality() {
    const { voiceQuality } = await import("./quality.ts");
    return voiceQuality();
  },
});
