import type { Context } from "hono";
import * as z from "zod";
import { assignmentKey } from "../../auth/caller.ts";
import { requireScope } from "../../auth/access.ts";
import type { Batches, BatchState } from "../../batches/batches.ts";
import { checkBody, invalidInput } from "../../errors.ts";
import { isUploaded, type Files } from "../../files/files.ts";
import { answerJson } from "../../http/answer.ts";
import { askedOf, baseOf, predictorOf, type AppEnv } from "../../http/exchange.ts";
import { readWebhookFields } from "../../http/webhook.ts";
import { newId } from "../../jobs/listing.ts";
import { shownBatch, WINDOW_MS } from "./batch-shape.ts";

/** What a deployment has for batches. */
interface Places {
  batches: Batches;
  files: Files;
}

const MOST_METADATA = 16;

/** OpenAI's body of `POST /v1/batches`. */
export const openaiBatchRequest = z.strictObject({
  input_file_id: z.string().describe("A file of requests: JSONL, uploaded with purpose `batch`."),
  endpoint: z.literal("/v1/embeddings").describe("The `url` of every line."),
  completion_window: z.literal("24h"),
  metadata: z
    .record(z.string().max(64), z.string().max(512))
    .refine((all) => Object.keys(all).length <= MOST_METADATA, "must have at most 16 members")
    .nullish(),
  output_expires_after: z
    .strictObject({ anchor: z.literal("created_at"), seconds: z.number().int().min(60) })
    .nullish(),
});

/** Whether the body is OpenAI's, and not one of the native API. They share the address. */
export function isOpenaiBatch(body: unknown): boolean {
  return typeof body === "object" && body !== null && "input_file_id" in body;
}

/** Makes a batch of OpenAI's body. `longestMs`: for how long its answers may be kept. */
export async function makeOpenaiBatch(
  c: Context<AppEnv>,
  body: unknown,
  { batches, files }: Places,
  longestMs: number,
): Promise<Response> {
  const data = checkBody(openaiBatchRequest, body);
  const { input_file_id: inputFile, endpoint, metadata, output_expires_after: kept } = data;
  if (kept && kept.seconds * 1000 > longestMs)
    throw invalidInput([
      { path: "output_expires_after.seconds", message: `must be at most ${longestMs / 1000}` },
    ]);
  const caller = predictorOf(c);
  const file = await files.read(caller, inputFile);
  if (!isUploaded(file))
    throw invalidInput([
      { path: "input_file_id", message: "must be an upload with the purpose batch" },
    ]);
  const { id: requestId, quota } = c.get("exchange");
  const { key, override } = askedOf(c);
  const webhook = readWebhookFields(c.req);
  const id = newId("batch_");
  if (override !== undefined) requireScope(caller, "override");
  const made = await batches.makeRequests({
    caller,
    id,
    requestId,
    rateKey: quota?.key,
    input: await files.inputOf(caller, file),
    requests: {
      endpoint,
      task: "feature-extraction",
      inputFile,
      outputFile: newId("file-"),
      errorFile: newId("file-"),
      metadata,
      key: assignmentKey(caller, key, requestId),
      override,
      ...(kept && { resultMs: kept.seconds * 1000 }),
    },
    windowMs: WINDOW_MS,
    webhook: webhook && { ...webhook, location: `${baseOf(c)}/v1/batches/${id}` },
  });
  return answerOpenaiBatch(c, made);
}

/** Answers with a batch that was made of OpenAI's body. */
export function answerOpenaiBatch(c: Context<AppEnv>, state: BatchState): Response {
  return answerJson(c, shownBatch(state));
}
