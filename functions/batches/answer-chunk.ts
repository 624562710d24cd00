import type { RowError } from "../inputs/row.ts";
import type { JobAnswer } from "../jobs/job.ts";
import type { Perform } from "../jobs/jobs.ts";
import { writeJson } from "../wire/raw-number.ts";
import { answerRows, type RowAnswer } from "./answer-rows.ts";
import type { Batch } from "./batch.ts";
import type { Chunk } from "./chunk.ts";
import { outputsIn } from "./outputs-in.ts";

/** The calls of a chunk are refused for now: by a rate, or by an overload. */
export class AskAgain extends Error {
  readonly seconds: number;

  constructor(seconds: number) {
    super(`to be asked again after ${seconds} s`);
    this.seconds = seconds;
  }
}

/** Answers the rows of a chunk as predictions of the batch's caller. Rejects with {@link AskAgain}. */
export async function answerChunk(
  batch: Batch,
  { inputs, errors }: Chunk,
  perform: Perform,
): Promise<RowAnswer[]> {
  const rest = batch.parameters === undefined ? "" : `,"parameters":${writeJson(batch.parameters)}`;
  const each = batch.lookedUp ? "?features=each" : "";
  const path = `/v1/models/${encodeURIComponent(batch.model)}/predict${each}`;
  const asked = { path, requestId: batch.requestId };
  const places = inputs.flatMap((_, place) => (errors[place] ? [] : [place]));
  const given = await answerRows(
    places.map((place) => inputs[place]),
    async (some) => {
      const body = new TextEncoder().encode(`{"inputs":[${some.join(",")}]${rest}}`);
      const answer = await perform(callOf(batch, asked), body);
      const text = new TextDecoder().decode(answer.body);
      const later = Number(answer.headers["retry-after"]);
      if (later > 0) throw new AskAgain(later);
      return answer.status < 400 ? outputsIn(text) : errorIn(answer, text);
    },
  );
  const answers: RowAnswer[] = inputs.map((_, place) => ({
    error: errors[place] ?? { code: "internal", detail: "The row has no answer." },
  }));
  places.forEach((place, index) => {
    const one = given[index];
    if (one) answers[place] = one;
  });
  return answers;
}

/** A call of a batch's caller, as a job makes it. */
export function callOf(
  { rateKey, caller, model, assignment }: Batch,
  { path, requestId, ...rest }: { path: string; requestId: string; isUnpaid?: true },
): Parameters<Perform>[0] {
  return {
    caller,
    model,
    assignment,
    request: {
      path,
      headers: { "content-type": "application/json", "x-request-id": requestId },
      ...(rateKey !== undefined && { rateKey }),
      ...rest,
    },
  };
}

function errorIn({ status }: JobAnswer, text: string): RowError {
  try {
    const { code, detail, errors } = JSON.parse(text) as RowError;
    return { code, detail, ...(errors && { errors }) };
  } catch {
    return { code: "internal", detail: `The prediction was answered with ${status}.` };
  }
}
