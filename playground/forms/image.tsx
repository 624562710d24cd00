import { useState } from "preact/hooks";
import type { Picture } from "../api.ts";
import { Camera } from "./camera.tsx";
import { FileDrop, fileOf } from "./file-drop.tsx";
import { mistakesAt, type Form, type FormProps } from "./form.ts";
import { SentFile } from "./sent-file.tsx";

type Draft = Picture | undefined;

/** An image that is dropped, pasted, chosen or taken. It is sent as it is. */
export const imageForm: Form<Draft> = {
  from: (inputs) => (typeof inputs === "string" ? fileOf(inputs, KINDS) : undefined),
  empty: () => undefined,
  inputs: (picture) => picture,
  View: ImageView,
};

const KINDS = [
  ["iVBOR", "image/png"],
  ["/9j/", "image/jpeg"],
  ["UklGR", "image/webp"],
] as const;

function ImageView({ draft, onChange, mistakes }: FormProps<Draft>) {
  const [isTaking, setTaking] = useState(false);
  return (
    <FileDrop
      label="Image"
      hint="JPEG, PNG or WebP. Drop it here, paste it, or choose a file."
      mistake={mistakesAt(mistakes, "inputs")}
      kind="image/"
      unnamed="pasted.png"
      onFile={onChange}
    >
      {draft && (
        <SentFile file={draft}>{(url) => <img src={url} alt="The image that is sent" />}</SentFile>
      )}
      {isTaking ? (
        <Camera
          onPicture={(picture) => {
            onChange(picture);
            setTaking(false);
          }}
          onClose={() => setTaking(false)}
        />
      ) : (
        <button type="button" onClick={() => setTaking(true)}>
          Take a picture
        </button>
      )}
    </FileDrop>
  );
}
