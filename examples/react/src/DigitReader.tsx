import { usePrediction } from "@nearcast/client/react";
import { useEffect, useState, type DragEvent } from "react";
import { Card, MadeBy, Problem, Scores } from "./Card.tsx";
import { client } from "./nearcast.ts";

/** An address at which the browser shows a file. */
function useObjectUrl(file: File | undefined): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const made = file && URL.createObjectURL(file);
    setUrl(made);
    return () => {
      if (made) URL.revokeObjectURL(made);
    };
  }, [file]);
  return url;
}

export function DigitReader() {
  const [file, setFile] = useState<File>();
  const preview = useObjectUrl(file);
  const { data, prediction, error, isPending, refetch } = usePrediction(client, "digits", file, {
    parameters: { top_k: 3 },
  });

  function drop(event: DragEvent) {
    event.preventDefault();
    setFile(event.dataTransfer.files[0]);
  }

  return (
    <Card title="Which digit is it?" about="One handwritten digit, bright on dark.">
      <label className="drop" onDragOver={(event) => event.preventDefault()} onDrop={drop}>
        {preview ? (
          <img src={preview} alt={`Preview of ${file?.name}`} />
        ) : (
          <span>Drop a picture here, or choose one</span>
        )}
        <input
          type="file"
          aria-label="Picture of a digit"
          accept="image/png,image/jpeg,image/webp"
          onChange={({ target }) => setFile(target.files?.[0])}
        />
      </label>
      <Problem error={error} retry={refetch} />
      <output className="answer" aria-busy={isPending}>
        {data && (
          <>
            <strong>{data.label}</strong>
            <Scores scores={data.scores as Record<string, number>} />
          </>
        )}
      </output>
      <MadeBy prediction={prediction} isPending={isPending} />
    </Card>
  );
}
