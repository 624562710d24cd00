import { useEffect, useRef, useState } from "preact/hooks";
import { Field } from "./forms/field.tsx";

/** Asks for a key or token. */
export function KeyForm({ wasWrong, onKey }: { wasWrong: boolean; onKey: (key: string) => void }) {
  const [key, setKey] = useState("");
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const submit = (event: Event) => {
    event.preventDefault();
    if (key.trim()) onKey(key.trim());
  };
  return (
    <form onSubmit={submit} class="key-form">
      <h2>This service asks for a key</h2>
      <Field
        label="API key or token"
        hint="Only this tab keeps it, until it is closed or you forget it. It is sent to this service only."
        mistake={wasWrong ? "The service does not take this key." : ""}
      >
        {(control) => (
          <input
            {...control}
            ref={input}
            type="password"
            autocomplete="off"
            spellcheck={false}
            value={key}
            onInput={({ currentTarget }) => setKey(currentTarget.value)}
          />
        )}
      </Field>
      <button type="submit" class="main">
        Continue
      </button>
    </form>
  );
}
