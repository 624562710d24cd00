import { useState } from "preact/hooks";
import type { ModelSummary } from "./api.ts";
import { Field } from "./forms/field.tsx";

/** From this many on, there is a box to find one. */
const MANY = 12;

interface ModelsProps {
  models: readonly ModelSummary[];
  current: string | undefined;
  addressOf: (name: string) => string;
  onChoose: (name: string) => void;
}

/** The models as links, of which one is open. */
export function Models({ models, current, addressOf, onChoose }: ModelsProps) {
  const [wanted, setWanted] = useState("");
  const found = models.filter(({ name, task }) =>
    `${name} ${task}`.toLowerCase().includes(wanted.trim().toLowerCase()),
  );
  return (
    <nav aria-label="Models">
      {models.length >= MANY && (
        <Field label="Find a model">
          {(control) => (
            <input
              {...control}
              type="search"
              value={wanted}
              onInput={({ currentTarget }) => setWanted(currentTarget.value)}
            />
          )}
        </Field>
      )}
      <ul>
        {found.map(({ name, task }) => (
          <li key={name}>
            <a
              href={addressOf(name)}
              aria-current={name === current ? "page" : undefined}
              onClick={(event) => {
                if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                event.preventDefault();
                onChoose(name);
              }}
            >
              {name}
            </a>{" "}
            <small>{task}</small>
          </li>
        ))}
      </ul>
    </nav>
  );
}
