import type { ComponentChildren } from "preact";
import type { Picture } from "../api.ts";
import { useObjectUrl } from "../object-url.ts";

interface SentFileProps {
  file: Picture;
  /** Shows the file at this URL. */
  children: (url: string) => ComponentChildren;
}

/** The file that is sent, with its name and size. */
export function SentFile({ file: { blob, name }, children }: SentFileProps) {
  const url = useObjectUrl(blob);
  return (
    <figure>
      {children(url)}
      <figcaption>
        <a href={url} download={name}>
          <bdi>{name}</bdi>
        </a>
        , {blob.size} bytes
      </figcaption>
    </figure>
  );
}
