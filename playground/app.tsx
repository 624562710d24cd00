import { useState } from "preact/hooks";
import { KeyForm } from "./key-form.tsx";
import { keepKey, keptKey } from "./key.ts";
import { Service } from "./service.tsx";

/** The service, and the key that it may ask for. Meanwhile what was typed is kept, until the key is forgotten. */
export function App() {
  const [key, setKey] = useState(keptKey);
  const [isRefused, setRefused] = useState(false);
  const [timesForgotten, setTimesForgotten] = useState(0);

  function take(next: string): void {
    keepKey(next);
    setKey(next);
    setRefused(false);
  }

  function forget(): void {
    take("");
    setRefused(true);
    setTimesForgotten(timesForgotten + 1);
  }

  return (
    <>
      {key && !isRefused && (
        <p class="key">
          This tab keeps your key until it is closed.{" "}
          <button type="button" onClick={forget}>
            Forget it
          </button>
        </p>
      )}
      {isRefused && <KeyForm wasWrong={key !== ""} onKey={take} />}
      <div hidden={isRefused}>
        <Service key={timesForgotten} apiKey={key} onRefused={() => setRefused(true)} />
      </div>
    </>
  );
}
