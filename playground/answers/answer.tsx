import type { Answer } from "../api.ts";
import { CopyButton } from "../copy-button.tsx";
import { FailureView } from "../failure-view.tsx";
import { LongText } from "../long-text.tsx";
import { short } from "../short.ts";
import type { Asked } from "../use-answer.ts";
import { isReadable, makesVectors, Output } from "./output.tsx";
import { rowsOf } from "./rows.ts";
import { VectorsView } from "./vectors.tsx";

/** The answer of one version, or why there is none. */
export function AnswerView({ title, task, asked }: { title: string; task: string; asked: Asked }) {
  const { isPending, answer, failure } = asked;
  return (
    <section class="answer" aria-label={title} aria-busy={isPending}>
      <h3>{title}</h3>
      {failure && <FailureView failure={failure} />}
      {answer && <Answered task={task} answer={answer} />}
    </section>
  );
}

const MOST_ROWS = 20;

function Answered({ task, answer }: { task: string; answer: Answer }) {
  const rows = rowsOf(task, answer);
  return (
    <>
      {makesVectors(task) && <VectorsView rows={rows} />}
      {rows.slice(0, makesVectors(task) ? 0 : MOST_ROWS).map(({ title, input, output }) => (
        <>
          {title !== undefined && (
            <h4>
              <bdi>{short(title)}</bdi>
            </h4>
          )}
          <Output task={task} input={input} output={output} />
        </>
      ))}
      {rows.length > MOST_ROWS && !makesVectors(task) && (
        <p>The other {rows.length - MOST_ROWS} are in the JSON.</p>
      )}
      <Facts answer={answer} />
      <Raw text={answer.text} isOpen={!rows.every(({ output }) => isReadable(task, output))} />
    </>
  );
}

function Facts({ answer }: { answer: Answer }) {
  const { version, assignment, milliseconds, serverTiming, requestId, cache } = answer;
  const facts: [string, string | null][] = [
    ["Version", assignment === "candidate" ? `${version} (on trial)` : version],
    ["Time", `${milliseconds.toFixed(0)} ms here`],
    ["Server", serverTiming && `${serverTiming.replaceAll(";dur=", " ")} ms`],
    ["Cache", cache],
    ["Request", requestId],
  ];
  return (
    <dl class="facts">
      {facts.map(
        ([name, value]) =>
          value !== null && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

function Raw({ text, isOpen }: { text: string; isOpen: boolean }) {
  return (
    <details open={isOpen}>
      <summary>JSON</summary>
      <CopyButton text={text} what="the JSON" />
      <LongText text={text} />
    </details>
  );
}
