import { AUDIO_SCHEMA, audioOptions } from "../audio/options.ts";
import { classificationOptions, classificationParameters } from "../classification/options.ts";
import { classificationQuality } from "../classification/quality.ts";
import { classificationSchema } from "../classification/schema.ts";
import { defineTask } from "../define.ts";

export const audioClassification = defineTask({
  name: "audio-classification",
  about: "A recording in, as a WAV file, raw samples or base64 in JSON, a label out.",
  options: { ...classificationOptions, ...audioOptions },
  parameters: classificationParameters,
  input: "audio",
  async compile(version) {
    const { compile } = await import("./compile.ts");
    return compile(version);
  },
  schema: (manifest) => ({
    input: AUDIO_SCHEMA,
    output: classificationSchema(manifest),
  }),
  async examples({ audio: { sampleRate, waveform } }) {
    const { chirp } = await import("../audio/example.ts");
    const shortest = waveform && chirp({ rate: sampleRate, samples: waveform.minSamples });
    return [chirp(), ...(shortest ? [shortest] : [])];
  },
  // Recordings are large, and those of a prediction count together.
  quality: async (manifest) => ({ ...(await classificationQuality(manifest)), rows: 1 }),
});
