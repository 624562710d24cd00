import type { Perform } from "../jobs/jobs.ts";
import { AskAgain, callOf } from "./answer-chunk.ts";
import type { Batch, Requests } from "./batch.ts";
import { readAnswers, writeLines, type Chunk } from "./chunk.ts";
import type { RequestLine } from "./read-request.ts";

/** Why a request was not asked. */
export interface NotAsked {
  code: string;
  message: string;
}

interface Answering {
  perform: Perform;
  /** What was answered before the chunk had to wait. */
  before: Uint8Array<ArrayBuffer> | undefined;
  /** Keeps what is answered so far, since the chunk has to wait. */
  keep: (answers: Uint8Array<ArrayBuffer>) => Promise<unknown>;
  /** Why the requests that are left are not asked. It is looked at now and then. */
  ended: () => Promise<NotAsked | undefined>;
}

const LOOK_MS = 1000;

/**
 * Asks each request of a chunk, one after the other, as their caller would. A line of an answer has the very bytes that the
 * call was answered with. Rejects with {@link AskAgain}.
 */
export async function answerRequests(
  batch: Batch & { requests: Requests },
  { inputs }: Chunk,
  { perform, before, keep, ended }: Answering,
): Promise<Uint8Array<ArrayBuffer>> {
  const decoder = new TextDecoder();
  const known = before && readAnswers(before);
  const outputs = known ? [decoder.decode(known.output)] : [];
  const errors = known ? [decoder.decode(known.errors)] : [];
  let { completed, failed } = known?.counts ?? { completed: 0, failed: 0 };
  const written = () => writeLines({ completed, failed }, outputs, errors);
  let [notAsked, looked] = [await ended(), Date.now()];
  for (const input of inputs.slice(completed + failed)) {
    if (!notAsked && Date.now() - looked > LOOK_MS)
      [notAsked, looked] = [await ended(), Date.now()];
    const request = JSON.parse(input) as RequestLine;
    const id = `batch_req_${crypto.randomUUID().replaceAll("-", "")}`;
    try {
      const line = notAsked
        ? { isError: true, text: `null,"error":${JSON.stringify(notAsked)}` }
        : await ask(batch, id, request, perform);
      const named = `{"id":"${id}","custom_id":${JSON.stringify(request.custom_id)}`;
      (line.isError ? errors : outputs).push(`${named},"response":${line.text}}\n`);
      if (line.isError) failed += 1;
      else completed += 1;
    } catch (error) {
      if (error instanceof AskAgain && completed + failed > 0) await keep(written());
      throw error;
    }
  }
  return written();
}

async function ask(
  batch: Batch & { requests: Requests },
  id: string,
  { body }: RequestLine,
  perform: Perform,
) {
  const call = callOf(batch, { path: batch.requests.endpoint, requestId: id, isUnpaid: true });
  const answer = await perform(call, new TextEncoder().encode(JSON.stringify(body)));
  const later = Number(answer.headers["retry-after"]);
  if (later > 0) throw new AskAgain(later);
  const text = new TextDecoder().decode(answer.body);
  const head = `{"status_code":${answer.status},"request_id":"${id}","body":`;
  return { isError: answer.status >= 400, text: `${head}${text}},"error":null` };
}
