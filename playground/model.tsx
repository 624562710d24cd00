import { useState } from "preact/hooks";
import type { Ask, Manifest, Question } from "./api.ts";
import { AnswerView } from "./answers/answer.tsx";
import { summaryOf } from "./answers/summary.ts";
import { CodeView } from "./code-view.tsx";
import { Field } from "./forms/field.tsx";
import { InputForm } from "./input-form.tsx";
import { jsonMistake } from "./json.ts";
import { short } from "./short.ts";
import { useAnswer, type Asked } from "./use-answer.ts";
import { useDraft } from "./use-draft.ts";
import { NONE, RELEASED, Versions } from "./versions.tsx";

interface ModelProps {
  manifest: Manifest;
  candidates: readonly string[];
  ask: Ask;
  isKeyed: boolean;
  /** Another version than the manifest's has answered in its place. */
  onRelease: () => void;
  /** The key is no longer taken. */
  onRefused: () => void;
}

/** A form, the answer of one version or of two, and the call in code. */
export function Model({ manifest, candidates, ask, isKeyed, onRelease, onRefused }: ModelProps) {
  const drafted = useDraft(manifest);
  const [parameters, setParameters] = useState("");
  const [version, setVersion] = useState(RELEASED);
  const [other, setOther] = useState(NONE);
  const first = useAnswer(ask);
  const second = useAnswer(ask);

  const inputs = drafted.inputs();
  const isReady = inputs !== undefined && (!parameters.trim() || isObject(parameters));
  const question: Question | undefined = isReady
    ? {
        model: manifest.name,
        version: version === RELEASED ? undefined : version,
        inputs,
        parameters: parameters.trim() || undefined,
      }
    : undefined;

  async function run(event: Event): Promise<void> {
    event.preventDefault();
    if (!question) return;
    if (other === NONE) second.clear();
    const ended = await Promise.all([
      first.run(question),
      other === NONE
        ? undefined
        : second.run({ ...question, version: other === RELEASED ? undefined : other }),
    ]);
    if (ended.some((one) => one?.failure?.status === 401)) onRefused();
    else if (ended.some((one) => one && isReleased(one, manifest))) onRelease();
  }

  const isPending = first.asked.isPending || second.asked.isPending;
  const stop = () => {
    first.stop();
    second.stop();
  };
  const mistakes = [first, second].flatMap(({ asked }) => asked.failure?.mistakes ?? []);
  return (
    <>
      <h2>
        <bdi>{manifest.name}</bdi>
      </h2>
      <p class="about">
        <span>
          {manifest.task}, version {manifest.version}.
        </span>{" "}
        <bdi>{short(manifest.description)}</bdi>
      </p>
      <form onSubmit={run} onKeyDown={submitByKey}>
        <InputForm manifest={manifest} drafted={drafted} mistakes={mistakes} />
        <details>
          <summary>Parameters and versions</summary>
          <Field
            label="Parameters as JSON"
            hint={'Such as {"top_k": 3}'}
            mistake={
              parameters.trim() && !isObject(parameters) ? "This must be an object in JSON." : ""
            }
          >
            {(control) => (
              <input
                {...control}
                type="text"
                autocomplete="off"
                value={parameters}
                onInput={({ currentTarget }) => setParameters(currentTarget.value)}
              />
            )}
          </Field>
          <div class="row">
            <Versions
              {...{ manifest, candidates }}
              label="Version"
              value={version}
              onValue={setVersion}
            />
            <Versions
              {...{ manifest, candidates }}
              label="Beside it"
              value={other}
              optional
              onValue={setOther}
            />
          </div>
        </details>
        <div class="row">
          <button type="submit" class="main" disabled={!question}>
            Predict
          </button>
          {isPending && (
            <button type="button" onClick={stop}>
              Stop
            </button>
          )}
        </div>
      </form>
      <p role="status" class="unseen">
        {isPending ? "Waiting for the answer" : summaryOf(first.asked)}
      </p>
      <div class="answers">
        <AnswerView title={titleOf(version)} task={manifest.task} asked={first.asked} />
        {other !== NONE && (
          <AnswerView title={titleOf(other)} task={manifest.task} asked={second.asked} />
        )}
      </div>
      {question && <CodeView question={question} isKeyed={isKeyed} />}
    </>
  );
}

function titleOf(chosen: string): string {
  return chosen === RELEASED ? "Answer" : `Answer of ${chosen}`;
}

function isObject(json: string): boolean {
  if (jsonMistake(json) !== undefined) return false;
  const value = JSON.parse(json) as unknown;
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether the service has chosen another version than the manifest's, and not for a trial. */
function isReleased({ answer }: Asked, manifest: Manifest): boolean {
  return (
    answer !== undefined &&
    answer.asked.version === undefined &&
    answer.assignment !== "candidate" &&
    answer.version !== manifest.version
  );
}

/** Ctrl or Command and Enter, for boxes in which Enter begins a line. */
function submitByKey(event: KeyboardEvent): void {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  (event.currentTarget as HTMLFormElement).requestSubmit();
}
