import { useContext, useState } from "preact/hooks";
import { AskContext } from "../ask-context.ts";
import { short } from "../short.ts";
import { readCatalogue, type Item } from "./catalogue.ts";
import { Field } from "./field.tsx";
import { mistakesAt, type Form, type FormProps } from "./form.ts";
import { isTexts } from "./texts.tsx";

type Draft = string[];

/** A basket of items, which are found by name or id. */
export const basketForm: Form<Draft> = {
  from: (inputs) => (isTexts(inputs) ? inputs : undefined),
  empty: () => [],
  inputs: (ids) => ids,
  View: BasketView,
};

const MOST_FOUND = 8;

function BasketView({ draft, onChange, manifest, mistakes }: FormProps<Draft>) {
  const ask = useContext(AskContext);
  const [items, setItems] = useState<readonly Item[]>();
  const [wanted, setWanted] = useState("");

  const read = async () => {
    if (items) return;
    setItems([]);
    // Without it, items are added by id.
    setItems(await readCatalogue(ask, manifest).catch(() => []));
  };
  const nameOf = (id: string) => items?.find((item) => item.id === id)?.name ?? id;
  const text = wanted.trim().toLowerCase();
  const found = (items ?? []).filter(
    ({ id, name }) => !draft.includes(id) && `${id} ${name}`.toLowerCase().includes(text),
  );
  const add = (id: string) => {
    onChange([...draft, id]);
    setWanted("");
  };
  return (
    <>
      <ul class="basket" aria-label="Basket">
        {draft.map((id, index) => (
          <li key={id}>
            <bdi>{short(nameOf(id))}</bdi>{" "}
            <button
              type="button"
              aria-label={`Remove ${short(nameOf(id))}`}
              onClick={() => onChange(draft.toSpliced(index, 1))}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
      <Field
        label="Find an item"
        hint="By a part of its name or its id."
        mistake={mistakesAt(mistakes, "inputs")}
      >
        {(control) => (
          <input
            {...control}
            type="search"
            autocomplete="off"
            value={wanted}
            onFocus={read}
            onInput={({ currentTarget }) => setWanted(currentTarget.value)}
          />
        )}
      </Field>
      {text && (
        <ul class="found" aria-label="Items that fit">
          {found.slice(0, MOST_FOUND).map(({ id, name }) => (
            <li key={id}>
              <button type="button" onClick={() => add(id)}>
                <bdi>{short(name)}</bdi> <small>{short(id)}</small>
              </button>
            </li>
          ))}
          {found.length === 0 && (
            <li>
              <button type="button" onClick={() => add(wanted.trim())}>
                Add <bdi>{short(wanted.trim())}</bdi> by its id
              </button>
            </li>
          )}
        </ul>
      )}
    </>
  );
}
