import { useState } from "preact/hooks";
import { KeyForm } from "./key-form.tsx";
import { keepKey, keptKey } from "./key.ts";
import { Service } from "./service.tsx";

/** The service, and the key that it may ask for. */
export function App() {
  const [key, setKey] = useState(keptKey);
  const [isRefused, setRefused] = useState(false);

  function take(next: string): void {
    keepKey(next);
    setKey(next);
    setRefused(next === "");
  }

  return (
    <>
      {key && !isRefused && (
        <p class="key">
          This tab keeps your key until it is closed.{" "}
          <button type="button" onClick={() => take("")}>
            Forget it
          </button>
        </p>
      )}
      {isRefused ? (
        <KeyForm wasWrong={key !== ""} onKey={take} />
      ) : (
        <Service key={key} apiKey={key} onRefused={() => setRefused(true)} />
      )}
    </>
  );
}
