import { useState } from "preact/hooks";
import { base, type Question } from "./api.ts";
import { asCurl, asPython, asTypeScript } from "./code.ts";
import { CopyButton } from "./copy-button.tsx";
import { LongText } from "./long-text.tsx";

const LANGUAGES = { curl: asCurl, TypeScript: asTypeScript, Python: asPython };

/** The call in the languages of those who will make it. */
export function CodeView({ question, isKeyed }: { question: Question; isKeyed: boolean }) {
  const [language, setLanguage] = useState<keyof typeof LANGUAGES>("curl");
  const code = LANGUAGES[language](question, { url: base.href, isKeyed });
  return (
    <section class="code" aria-label="The same call in code">
      <h3>The same call</h3>
      <div class="row">
        <div role="group" aria-label="Language" class="choices">
          {Object.keys(LANGUAGES).map((name) => (
            <button
              type="button"
              key={name}
              aria-pressed={name === language}
              onClick={() => setLanguage(name as keyof typeof LANGUAGES)}
            >
              {name}
            </button>
          ))}
        </div>
        <CopyButton text={code} what={`the call in ${language}`} key={code} />
      </div>
      <LongText text={code} />
    </section>
  );
}
