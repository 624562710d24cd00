import type { Picture } from "../api.ts";
import { FileDrop, fileOf } from "./file-drop.tsx";
import { mistakesAt, type Form, type FormProps } from "./form.ts";
import { SentFile } from "./sent-file.tsx";

type Draft = Picture | undefined;

/** A WAV file that is dropped, pasted or chosen. It is sent as it is. */
export const audioForm: Form<Draft> = {
  from: (inputs) =>
    typeof inputs === "string" ? fileOf(inputs, [["UklGR", "audio/wav"]]) : undefined,
  empty: () => undefined,
  inputs: (recording) => recording,
  View: AudioView,
};

function AudioView({ draft, onChange, mistakes }: FormProps<Draft>) {
  return (
    <FileDrop
      label="Recording"
      hint="A WAV file. Drop it here, paste it, or choose a file."
      mistake={mistakesAt(mistakes, "inputs")}
      kind="audio/"
      unnamed="pasted.wav"
      onFile={onChange}
    >
      {draft && (
        <SentFile file={draft}>
          {(url) => <audio src={url} controls aria-label="The recording that is sent" />}
        </SentFile>
      )}
    </FileDrop>
  );
}
