import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Picture } from "../api.ts";
import { Field } from "./field.tsx";

interface FileDropProps {
  label: string;
  hint: string;
  mistake: string;
  /** What media types begin with: `image/`. */
  kind: string;
  /** The name of a file without one. */
  unnamed: string;
  onFile: (file: Picture) => void;
  children: ComponentChildren;
}

/** A file that is dropped, pasted or chosen. */
export function FileDrop({ label, hint, mistake, kind, unnamed, onFile, children }: FileDropProps) {
  const [isOver, setOver] = useState(false);

  function take(files: Iterable<File> | null | undefined): boolean {
    const file = [...(files ?? [])].find(({ type }) => type.startsWith(kind));
    if (file) onFile({ blob: file, name: file.name || unnamed });
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
      <Field label={label} hint={hint} mistake={mistake}>
        {(control) => (
          <input
            {...control}
            type="file"
            accept={`${kind}*`}
            onChange={({ currentTarget }) => take(currentTarget.files)}
          />
        )}
      </Field>
      {children}
    </div>
  );
}

/** A file from base64, with or without `data:…;base64,`. Undefined for other texts. `kinds`: how they begin, and types. */
export function fileOf(
  text: string,
  kinds: readonly (readonly [start: string, type: string])[],
): Picture | undefined {
  const base64 = text.replace(/^data:[^,]*,/, "");
  const type = kinds.find(([start]) => base64.startsWith(start))?.[1];
  if (type === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    return { blob: new Blob([bytes], { type }), name: `example.${type.split("/")[1] ?? ""}` };
  } catch {
    return undefined;
  }
}

/** A file as base64. */
export async function base64Of({ blob }: Picture): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
