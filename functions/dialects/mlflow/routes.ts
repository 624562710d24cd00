import { Hono, type Context } from "hono";
import { invalidInput, NearcastError } from "../../errors.ts";
import type { ModelVersion, Resolved } from "../../model/registry.ts";
import { callOf, type AppEnv } from "../../http/exchange.ts";
import type { InferInputs } from "../../call.ts";
import { readBody } from "../../http/body.ts";
import { mediaTypeOf, type MediaType } from "../../http/media-type.ts";
import type { InParts } from "../../tasks/define.ts";
import { readInvocation, type Invocation } from "./data-frame.ts";
import { parseJson } from "../../wire/json.ts";
import { decodeText } from "../../wire/text.ts";
import {
  checkRows,
  columnsOfTensors,
  feedsOfColumns,
  isTaskRow,
  runsOfRows,
  taskRow,
} from "../rows.ts";
import { answer } from "../../http/answer.ts";
import { answerPrediction } from "../../http/write-answer.ts";
import { identify } from "../../http/identify.ts";
import type { Service } from "../../service.ts";
import { VERSION } from "../../version.ts";

const PLAIN = { "Content-Type": "text/plain; charset=UTF-8" };

export function pingRoutes({ checkReady }: Service) {
  return new Hono<AppEnv>().get("/ping", async (c) => {
    await checkReady();
    return answer(c, "\n", PLAIN);
  });
}

export function invocationRoutes({ platform, resolve, predict, infer }: Service) {
  const { limits, defaultModel } = platform.config;
  const options = { maxBytes: limits.bodyBytes, now: platform.now };

  async function answerInvocation(c: Context<AppEnv>) {
    const mediaType = mediaTypeOf(c.req);
    checkMediaType(mediaType);
    checkAccept(c.req.header("accept"));
    const model = modelName(c.req.header("x-amzn-sagemaker-target-model") ?? defaultModel);
    const found = await resolve({ ...callOf(c), model });
    const body = await readBody(c, options);
    const invocation = await readInvocationBody(body, mediaType, found);
    const lines = "rows" in invocation ? invocation.lines : undefined;
    if (!lines) return answerFrom(c, model, found, invocation);
    try {
      return await answerFrom(c, model, found, invocation);
    } catch (error) {
      const { byLine } = await import("../../inputs/csv.ts");
      throw byLine(error, lines);
    }
  }

  async function answerFrom(
    c: Context<AppEnv>,
    model: string,
    found: Resolved,
    invocation: Invocation,
  ) {
    const { manifest, compiled } = found;
    const call = { ...callOf(c), model, resolved: found };
    if ("rows" in invocation) checkRows(found, invocation.rows);
    if ("rows" in invocation && isForTask(found, invocation)) {
      const inputs = invocation.rows.map((row, index) => taskRow(found, row, `inputs[${index}]`));
      if (!(compiled.isBatch?.(inputs) ?? true))
        throw invalidInput([{ path: "inputs", message: "must be an array of rows" }]);
      const { outputs, answerBytes, record } = await predict({
        ...call,
        inputs,
        parameters: invocation.params,
      });
      identify(c, manifest, record);
      return answerPrediction(c, { predictions: outputs }, { bytes: answerBytes });
    }
    if (Object.keys(invocation.params ?? {}).length > 0)
      throw invalidInput([{ path: "params", message: "are not taken with tensors" }]);
    const { results, answerBytes, record } = await infer({
      ...call,
      read: (version, sentBytes) => runsOf(version, invocation, sentBytes),
    });
    identify(c, manifest, record);
    const value = { predictions: columnsOfTensors(results) };
    return answerPrediction(c, value, { bytes: answerBytes });
  }

  return new Hono<AppEnv>()
    .get("/version", (c) => answer(c, VERSION, PLAIN))
    .post("/invocations", (c) => answerInvocation(c));
}

function modelName(name: string | undefined): string {
  if (name) return name;
  throw new NearcastError(
    "unknown_model",
    "Name a model in the header X-Amzn-SageMaker-Target-Model, or set DEFAULT_MODEL.",
  );
}

/** Throws `unsupported_media_type` unless the body is JSON or CSV. */
function checkMediaType({ type }: MediaType): void {
  if (type !== "application/json" && type !== "text/csv")
    throw new NearcastError(
      "unsupported_media_type",
      "The Content-Type must be application/json or text/csv.",
    );
}

// Matches JSON by its name, or by an asterisk for the subtype or for both types.
const TAKES_JSON = /(^|,)\s*(application\/(json|\*)|\*\/\*)\s*(;|,|$)/i;

/** Throws `not_acceptable` for a client that expects another format, such as SageMaker's CSV. */
function checkAccept(accept: string | undefined): void {
  if (accept?.trim() && !TAKES_JSON.test(accept))
    throw new NearcastError(
      "not_acceptable",
      `Answers are application/json, and the header Accept allows only ${accept.slice(0, 100)}.`,
    );
}

async function readInvocationBody(
  body: Uint8Array,
  { type, parameters }: MediaType,
  version: ModelVersion,
): Promise<Invocation> {
  if (type === "text/csv") {
    const { readCsv } = await import("../../inputs/csv.ts");
    return readCsv(
      decodeText(body, { what: "The body" }),
      parameters["header"]?.toLowerCase(),
      version,
    );
  }
  const exact = version.manifest.inputs.some(({ datatype }) => datatype.endsWith("INT64"));
  return readInvocation(parseJson(body, { exact }), version);
}

/** Whether rows go through the model's task. Rows of CSV do, unless it is the task `tensor`. */
function isForTask(version: ModelVersion, { rows, lines }: Extract<Invocation, { rows: unknown }>) {
  return lines ? version.task.input !== "tensors" : isTaskRow(version, rows[0]);
}

/** The runs of tensors. Rows of tensors are one run: only tasks split rows. */
function runsOf(
  version: ModelVersion,
  invocation: Invocation,
  sentBytes: number | undefined,
): InParts<InferInputs> {
  return "rows" in invocation
    ? runsOfRows(version, invocation.rows, { path: "instances", sentBytes })
    : { runs: [{ feeds: feedsOfColumns(version, invocation.columns, "inputs"), rows: 1 }] };
}
