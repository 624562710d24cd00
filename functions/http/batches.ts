import { Hono, type Context } from "hono";
import * as z from "zod";
import type { Batches, BatchState } from "../batches/batches.ts";
import { hasEnded } from "../batches/batch.ts";
import { csvLines, OUTPUT_FORMATS } from "../batches/output-lines.ts";
import { answerOpenaiBatch, isOpenaiBatch, makeOpenaiBatch } from "../dialects/openai/batches.ts";
import { shownBatch } from "../dialects/openai/batch-shape.ts";
import { listed } from "../dialects/openai/files.ts";
import { readListQuery } from "../dialects/openai/list-query.ts";
import { checkBody, invalidInput, NearcastError } from "../errors.ts";
import type { Files } from "../files/files.ts";
import { cutRecords } from "../inputs/cut.ts";
import { FORMATS, type Format } from "../inputs/row.ts";
import type { Source } from "../inputs/source.ts";
import type { Service } from "../service.ts";
import { refuseStateOfRows } from "../tasks/state/of-calls.ts";
import { shownWebhook } from "../webhooks/webhook.ts";
import { parseJsonText } from "../wire/json.ts";
import { answer, answerJson } from "./answer.ts";
import { askedOf, baseOf, predictorOf, type AppEnv } from "./exchange.ts";
import { mediaTypeOf } from "./media-type.ts";
import { checkJobId } from "./prefer.ts";
import { answerFile, checkWhole } from "./range.ts";
import { readJson } from "./read-json.ts";
import { streamOf } from "./stream-of.ts";
import { bytesOf, isUpload } from "./upload.ts";
import { readWebhookFields, readWebhookMembers, webhookMembers } from "./webhook.ts";

const POLL_SECONDS = 2;

const header = z.enum(["present", "absent"]);

/** A batch of an object of the store. */
export const batchRequest = z.strictObject({
  model: z.string(),
  version: z.string().optional(),
  input: z.strictObject({
    object: z.string().describe("Its path below the caller's folder of the store."),
    format: z.enum(FORMATS).optional().describe("By the ending of its name when absent."),
    header: header.optional().describe("Whether the first line of CSV is a header."),
  }),
  parameters: z.record(z.string(), z.unknown()).optional(),
  ...webhookMembers,
});

const TYPES: Record<string, Format> = {
  "text/csv": "csv",
  "application/jsonl": "jsonl",
  "application/x-ndjson": "jsonl",
  "application/vnd.apache.parquet": "parquet",
};

/** `/v1/batches`: files whose rows are answered later. */
export function batchRoutes(
  { platform, resolve }: Pick<Service, "platform" | "resolve">,
  { batches, files }: { batches: Batches; files: Files },
): Hono<AppEnv> {
  const { jobResultTtlMs, limits } = platform.config;
  const wholeBytes = platform.answersWhole ? limits.answerBytes : undefined;
  const jsonl = { type: "application/jsonl", wholeBytes };

  /** CSV may be longer or shorter than the lines that it is made of. */
  async function answerCsv(c: Context<AppEnv>, lines: Source): Promise<Response> {
    checkWhole(lines.size, wholeBytes);
    const { batch } = await batches.read(predictorOf(c), c.req.param("id") ?? "");
    return answer(c, streamOf(asCsv(lines, batch.lookedUp)), {
      "Content-Type": "text/csv; charset=UTF-8",
    });
  }

  /** The members say whose body it is: OpenAI's names a file, the native one an object of the store. */
  async function makeOfJson(c: Context<AppEnv>, id: string): Promise<Response> {
    const body = await readJson(c, z.unknown(), platform);
    if (c.req.method === "POST" && isOpenaiBatch(body))
      return makeOpenaiBatch(c, body, { batches, files }, jobResultTtlMs);
    const data = checkBody(batchRequest, body);
    return make(c, id, ofObject(c, data));
  }

  function makeOf(c: Context<AppEnv>, id: string): Promise<Response> {
    predictorOf(c);
    return isUpload(c.req) ? make(c, id, uploaded(c)) : makeOfJson(c, id);
  }

  async function make(
    c: Context<AppEnv>,
    id: string,
    { model, version, webhook, ...file }: ReturnType<typeof uploaded> | ReturnType<typeof ofObject>,
  ): Promise<Response> {
    const found = await resolve({ ...askedOf(c), model, version });
    refuseStateOfRows(found.task, file.parameters);
    const { caller, id: requestId, quota } = c.get("exchange");
    const made = await batches.make({
      ...file,
      id,
      caller,
      requestId,
      rateKey: quota?.key,
      version: found,
      webhook: webhook && { ...webhook, location: locationOf(c, id) },
    });
    return answerBatch(c, made, 202);
  }

  return new Hono<AppEnv>()
    .post("/v1/batches", (c) => {
      const key = c.req
        .header("idempotency-key")
        ?.trim()
        .replace(/^"(.*)"$/, "$1");
      return makeOf(
        c,
        key === undefined ? crypto.randomUUID() : checkJobId(key, "Idempotency-Key"),
      );
    })
    .put("/v1/batches/:id", (c) => makeOf(c, checkJobId(c.req.param("id"), "The id")))
    .get("/v1/batches", async (c) => {
      const { items, hasMore } = await batches.list(predictorOf(c), readListQuery(c));
      return answerJson(
        c,
        listed(
          items.map((state) => shownAs(c, state)),
          hasMore,
        ),
      );
    })
    .get("/v1/batches/:id", async (c) =>
      answerBatch(c, await batches.read(predictorOf(c), c.req.param("id"))),
    )
    .get("/v1/batches/:id/output", async (c) => {
      const format = c.req.query("format") ?? "jsonl";
      if (!OUTPUT_FORMATS.some((name) => name === format))
        throw invalidInput([{ path: "format", message: `must be ${OUTPUT_FORMATS.join(" or ")}` }]);
      const lines = await batches.lines(predictorOf(c), c.req.param("id"), "output");
      return format === "csv" ? answerCsv(c, lines) : answerFile(c, lines, jsonl);
    })
    .get("/v1/batches/:id/errors", async (c) => {
      const lines = await batches.lines(predictorOf(c), c.req.param("id"), "errors");
      return answerFile(c, lines, jsonl);
    })
    .post("/v1/batches/:id/cancel", async (c) =>
      answerBatch(c, await batches.cancel(predictorOf(c), c.req.param("id"))),
    )
    .delete("/v1/batches/:id", async (c) =>
      answerBatch(c, await batches.remove(predictorOf(c), c.req.param("id"))),
    );
}

/** The batch that an upload asks for: the query has what JSON would have. */
function uploaded(c: Context<AppEnv>) {
  const { type, parameters: ofType } = mediaTypeOf(c.req);
  const format = TYPES[type];
  if (!format)
    throw new NearcastError(
      "unsupported_media_type",
      `The Content-Type must be ${Object.keys(TYPES).join(", ")}, or application/json for an object of the store.`,
    );
  if (c.req.header("content-encoding") ?? ofType["charset"]?.replace(/^utf-?8$/i, ""))
    throw new NearcastError("unsupported_media_type", "A file must be UTF-8, and not compressed.");
  const { model, version, parameters } = c.req.query();
  if (!model) throw invalidInput([{ path: "model", message: "must be in the query" }]);
  return {
    model,
    version,
    format,
    header: headerOf(ofType["header"]?.toLowerCase()),
    parameters: parameters === undefined ? undefined : parseJsonText(parameters, "parameters"),
    input: bytesOf(c.req),
    webhook: readWebhookFields(c.req),
  };
}

function headerOf(text: string | undefined): "present" | "absent" | undefined {
  const { success, data } = header.optional().safeParse(text);
  if (success) return data;
  throw new NearcastError(
    "malformed_request",
    "The parameter header of text/csv must be present or absent.",
  );
}

function ofObject(c: Context<AppEnv>, body: z.infer<typeof batchRequest>) {
  const { model, version, parameters, input } = body;
  const { object, header } = input;
  const ending = object.slice(object.lastIndexOf(".") + 1).toLowerCase();
  const format = input.format ?? FORMATS.find((name) => name === ending);
  if (!format)
    throw invalidInput([{ path: "input.format", message: `must be one of ${FORMATS.join(", ")}` }]);
  const webhook = readWebhookMembers(body) ?? readWebhookFields(c.req);
  return { model, version, parameters, format, header, input: { object }, webhook };
}

/** Each batch is shown in the shape that it was made in. */
function shownAs(c: Context<AppEnv>, state: BatchState) {
  return state.batch.requests ? shownBatch(state) : shown(state, locationOf(c, state.batch.id));
}

function locationOf(c: Context<AppEnv>, id: string): string {
  return `${baseOf(c)}/v1/batches/${encodeURIComponent(id)}`;
}

function answerBatch(c: Context<AppEnv>, state: BatchState, status: 200 | 202 = 200): Response {
  const { batch } = state;
  const { headers } = c.get("exchange");
  if (batch.requests) return answerOpenaiBatch(c, state);
  const location = locationOf(c, batch.id);
  if (status === 202) headers["Location"] = location;
  if (!hasEnded(batch)) headers["Retry-After"] = String(POLL_SECONDS);
  const body = JSON.stringify(shown(state, location));
  return answer(c, body, { "Content-Type": "application/json" }, status);
}

/** The batch as its caller sees it. */
function shown({ batch, completed, failed }: BatchState, location: string) {
  const { id, status, model, version, digest, events, expiresAt, cut, error } = batch;
  const isCut = status !== "queued" && status !== "validating";
  const ended = hasEnded(batch) ? events.at(-1) : undefined;
  const webhook = shownWebhook(batch);
  return {
    id,
    status,
    model,
    version,
    digest: `sha256:${digest}`,
    counts: { ...(isCut && { total: cut.rows }), completed, failed },
    progress: { done: completed + failed, known: cut.rows, read: cut.share ?? 0 },
    created_at: written(events[0]?.at ?? 0),
    ...(ended && { ended_at: written(ended.at) }),
    expires_at: written(expiresAt),
    ...(error && { error }),
    ...(webhook && { webhook }),
    ...(status === "succeeded" && {
      output: `${location}/output`,
      ...(failed > 0 && { errors: `${location}/errors` }),
      ...namedObjects(batch),
    }),
  };
}

/** The objects that were made beside the input, as paths below the caller's folder of the store. */
function namedObjects({ output, errors }: BatchState["batch"]) {
  const name = (lines: typeof output) =>
    lines && "object" in lines ? lines.object.split("/").slice(2).join("/") : undefined;
  return { output_object: name(output), errors_object: name(errors) };
}

const written = (time: number) => new Date(time).toISOString();

const CSV_LINES = { rows: 1000, bytes: 1024 * 1024, lineBytes: Infinity, quoted: false };

async function* asCsv(
  source: Source,
  lookedUp: readonly string[] | undefined,
): AsyncGenerator<Uint8Array> {
  const state = { columns: undefined, waiting: 0 };
  for await (const { bytes } of cutRecords(source, { offset: 0, line: 1 }, CSV_LINES)) {
    const lines = new TextDecoder().decode(bytes).trimEnd().split("\n");
    const text = csvLines(
      state,
      lines.map((line) => JSON.parse(line) as unknown),
      lookedUp,
    );
    if (text !== "") yield new TextEncoder().encode(text);
  }
}
