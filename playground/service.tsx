import { useEffect, useMemo, useState } from "preact/hooks";
import { askWith, base, readModels } from "./api.ts";
import { AskContext } from "./ask-context.ts";
import { FailureView } from "./failure-view.tsx";
import { ModelPage } from "./model-page.tsx";
import { Models } from "./models.tsx";
import { useRead } from "./use-read.ts";

/** The list of models, and one of them to try: the one in the address, or the first. */
export function Service({ apiKey, onRefused }: { apiKey: string; onRefused: () => void }) {
  const ask = useMemo(() => askWith(apiKey), [apiKey]);
  const { value: models, failure } = useRead((signal) => readModels(ask, signal), onRefused, [ask]);
  const [named, setNamed] = useState(namedModel);

  useEffect(() => {
    const follow = () => setNamed(namedModel());
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, []);

  function choose(name: string): void {
    history.pushState(null, "", addressOf(name));
    setNamed(name);
  }

  if (failure) return <FailureView failure={failure} />;
  if (!models) return <p role="status">Reading the models…</p>;
  const name = named ?? models[0]?.name;
  return (
    <div class="columns">
      <Models models={models} current={name} addressOf={addressOf} onChoose={choose} />
      <article>
        {name === undefined ? (
          <p>No model is released yet.</p>
        ) : (
          <AskContext.Provider value={ask}>
            <ModelPage
              key={name}
              name={name}
              ask={ask}
              isKeyed={apiKey !== ""}
              onRefused={onRefused}
            />
          </AskContext.Provider>
        )}
      </article>
    </div>
  );
}

function addressOf(name: string): string {
  return new URL(`playground/${encodeURIComponent(name)}`, base).href;
}

/** The model in the page's address. */
function namedModel(): string | undefined {
  const found = /\/playground\/([^/]+)\/?$/.exec(location.pathname)?.[1];
  return found === undefined ? undefined : decodeURIComponent(found);
}
