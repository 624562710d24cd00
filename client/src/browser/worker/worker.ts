// The dedicated worker in which a page runs one version of a model.
import { NearcastError } from "../../../../functions/errors.ts";
import type { FromWorker, ToWorker, WorkerProblem } from "../messages.ts";
import { loadVersion } from "./version.ts";

let answer: Awaited<ReturnType<typeof loadVersion>>;

async function handle(message: ToWorker): Promise<string | null> {
  if ("body" in message) return answer(message);
  answer = await loadVersion(message);
  return null;
}

function problemOf(error: unknown): WorkerProblem {
  if (!(error instanceof NearcastError))
    return { status: 500, code: "internal", detail: String(error), errors: [] };
  const { status, code, message, issues = [] } = error;
  return { status, code, detail: message, errors: issues };
}

function send(reply: FromWorker): void {
  postMessage(reply);
}

addEventListener("message", (event: MessageEvent<ToWorker>) => {
  const { id } = event.data;
  handle(event.data).then(
    (value) => send({ id, value }),
    (error: unknown) => send({ id, problem: problemOf(error) }),
  );
});
