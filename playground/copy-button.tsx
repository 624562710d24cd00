import { useState } from "preact/hooks";

/** Copies a text, and says so. Where the browser forbids it, it says that instead. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [said, setSaid] = useState("");
  const copy = () =>
    navigator.clipboard
      .writeText(text)
      .then(() => setSaid("Copied"))
      .catch(() => setSaid("The browser does not allow it"));
  return (
    <span class="copy">
      <button type="button" aria-label={`Copy ${what}`} onClick={copy}>
        Copy
      </button>
      <span role="status">{said}</span>
    </span>
  );
}
