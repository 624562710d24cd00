import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Picture } from "../api.ts";
import { Camera } from "./camera.tsx";
import { Field } from "./field.tsx";
import { mistakesAt, type Form, type FormProps } from "./form.ts";

type Draft = Picture | undefined;

/** An image that is dropped, pasted, chosen or taken. It is sent as it is. */
export const imageForm: Form<Draft> = {
  from: (inputs) => (typeof inputs === "string" ? pictureOf(inputs) : undefined),
  empty: () => undefined,
  inputs: (picture) => picture,
  View: ImageView,
};

function ImageView({ draft, onChange, mistakes }: FormProps<Draft>) {
  const [isOver, setOver] = useState(false);
  const [isTaking, setTaking] = useState(false);
  const chooser = useRef<HTMLInputElement>(null);

  function take(files: Iterable<File> | null | undefined): boolean {
    const file = [...(files ?? [])].find(({ type }) => type.startsWith("image/"));
    if (file) onChange({ blob: file, name: file.name || "pasted.png" });
    return file !== undefined;
  }
  const latest = useRef(take);
  latest.current = take;

  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      if (latest.current(event.clipboardData?.files)) event.preventDefault();
    };
    addEventListener("paste", paste);
    return () => removeEventListener("paste", paste);
  }, []);

  return (
    <div
      class={isOver ? "drop over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files);
      }}
    >
      <Field
        label="Image"
        hint="JPEG, PNG or WebP. Drop it here, paste it, or choose a file."
        mistake={mistakesAt(mistakes, "inputs")}
      >
        {(control) => (
          <input
            {...control}
            ref={chooser}
            type="file"
            accept="image/*"
            onChange={({ currentTarget }) => take(currentTarget.files)}
          />
        )}
      </Field>
      {draft && <Preview picture={draft} />}
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
    </div>
  );
}

function Preview({ picture: { blob, name } }: { picture: Picture }) {
  const url = useMemo(() => URL.createObjectURL(blob), [blob]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  return (
    <figure>
      <img src={url} alt="The image that is sent" />
      <figcaption>
        <a href={url} download={name}>
          <bdi>{name}</bdi>
        </a>
        , {blob.size} bytes
      </figcaption>
    </figure>
  );
}

const KINDS = [
  ["iVBOR", "png"],
  ["/9j/", "jpeg"],
  ["UklGR", "webp"],
] as const;

/** An image from base64, with or without `data:…;base64,`. Undefined for other texts. */
function pictureOf(text: string): Picture | undefined {
  const base64 = text.replace(/^data:[^,]*,/, "");
  const kind = KINDS.find(([start]) => base64.startsWith(start))?.[1];
  if (kind === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    return { blob: new Blob([bytes], { type: `image/${kind}` }), name: `example.${kind}` };
  } catch {
    return undefined;
  }
}
