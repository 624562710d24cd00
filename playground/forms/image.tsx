import { useState } from "preact/hooks";
import type { Picture } from "../api.ts";
import { Camera } from "./camera.tsx";
import { FileDrop, fileOf } from "./file-drop.tsx";
import { mistakesAt, type Form, type FormProps } from "./form.ts";
import { SentFile } from "./sent-file.tsx";

type Draft = Picture | undefined;

/** An image that is dropped, pasted, chosen or taken. It is sent as it is. */
export const imageForm: Form<Draft> = {
  from: pictureOf,
  empty: () => undefined,
  inputs: (picture) => picture,
  View: ImageView,
};

/** A picture from base64. Undefined for anything else. */
export function pictureOf(inputs: unknown): Picture | undefined {
  return typeof inputs === "string" ? fileOf(inputs, KINDS) : undefined;
}

const KINDS = [
  ["iVBOR", "image/png"],
  ["/9j/", "image/jpeg"],
  ["UklGR", "image/webp"],
] as const;

function ImageView({ draft, onChange, mistakes }: FormProps<Draft>) {
  return (
    <PictureField picture={draft} mistake={mistakesAt(mistakes, "inputs")} onPicture={onChange} />
  );
}

interface PictureFieldProps {
  picture: Picture | undefined;
  mistake: string;
  onPicture: (picture: Picture) => void;
}

/** A picture by drop, by paste, from a file or from the camera. */
export function PictureField({ picture, mistake, onPicture }: PictureFieldProps) {
  const [isTaking, setTaking] = useState(false);
  return (
    <FileDrop
      label="Image"
      hint="JPEG, PNG or WebP. Drop it here, paste it, or choose a file."
      mistake={mistake}
      kind="image/"
      unnamed="pasted.png"
      onFile={onPicture}
    >
      {picture && (
        <SentFile file={picture}>
          {(url) => <img src={url} alt="The image that is sent" />}
        </SentFile>
      )}
      {isTaking ? (
        <Camera
          onPicture={(taken) => {
            onPicture(taken);
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
