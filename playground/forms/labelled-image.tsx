import { useRef, useState } from "preact/hooks";
import type { Picture } from "../api.ts";
import { base64Of } from "./file-drop.tsx";
import { mistakesAt, type Form, type FormProps } from "./form.ts";
import { PictureField, pictureOf } from "./image.tsx";
import { TextList } from "./text-list.tsx";
import { isTexts } from "./texts.tsx";

interface Draft {
  picture?: Picture;
  /** The same picture as it is sent. */
  image?: string;
  labels: string[];
}

/** An image, and the labels that it may have. */
export const labelledImageForm: Form<Draft> = {
  from(inputs) {
    if (typeof inputs !== "object" || inputs === null) return undefined;
    const { image, candidate_labels: labels, ...others } = inputs as Record<string, unknown>;
    const picture = pictureOf(image);
    if (!picture || !isTexts(labels) || Object.keys(others).length > 0) return undefined;
    return { picture, image: image as string, labels };
  },
  empty: () => ({ labels: [""] }),
  inputs: ({ image, labels }) => image && { image, candidate_labels: labels },
  View: LabelledImageView,
};

function LabelledImageView({ draft, onChange, mistakes }: FormProps<Draft>) {
  // Reading a file takes a moment, in which labels may change, or another picture be chosen.
  const latest = useRef(draft);
  latest.current = draft;
  const chosen = useRef<Picture>(undefined);
  const [unread, setUnread] = useState<{ name: string; beside: Picture | undefined }>();
  const take = async (picture: Picture) => {
    const before = latest.current.picture;
    chosen.current = picture;
    const image = await base64Of(picture).catch(() => undefined);
    if (chosen.current !== picture || latest.current.picture !== before) return;
    if (image === undefined) setUnread({ name: picture.name, beside: before });
    else onChange({ ...latest.current, picture, image });
  };
  const isUnread = unread !== undefined && unread.beside === draft.picture;
  return (
    <>
      <PictureField
        picture={draft.picture}
        mistake={isUnread ? `${unread.name} cannot be read` : mistakesAt(mistakes, "inputs.image")}
        onPicture={(picture) => void take(picture)}
      />
      <TextList
        label="Label"
        texts={draft.labels}
        pathAt={(index) => `inputs.candidate_labels[${index}]`}
        mistakes={mistakes}
        onChange={(labels) => onChange({ ...draft, labels })}
      />
    </>
  );
}
