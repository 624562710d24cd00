import { Hono, type Context } from "hono";
import { invalidInput, NearcastError } from "../../errors.ts";
import type { ModelVersion } from "../../model/registry.ts";
import { callOf, type AppEnv } from "../../http/exchange.ts";
import type { InferInputs } from "../../call.ts";
import { readBody } from "../../http/body.ts";
import type { InParts } from "../../tasks/define.ts";
import { readCsv, readInvocation, type Invocation } from "./data-frame.ts";
import { parseJson } from "../../wire/json.ts";
import {
  checkRows,
  columnsOfTensors,
  feedsOfColumns,
  isTaskRow,
  runsOfRows,
  taskRow,
} from "../rows.ts";
import { answer, answerJson } from "../../http/answer.ts";
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
    const mediaType = readMediaType(c.req.header("content-type"));
    const model = modelName(c.req.header("x-amzn-sagemaker-target-model") ?? defaultModel);
    const found = await resolve({ ...callOf(c), model });
    const { manifest, compiled } = found;
    const body = await readBody(c, options);
    const call = { ...callOf(c), model, resolved: found };
    const invocation = readInvocationBody(body, mediaType, found);
    if ("rows" in invocation) checkRows(found, invocation.rows);
    if ("rows" in invocation && isTaskRow(found, invocation.rows[0])) {
      const inputs = invocation.rows.map((row, index) => taskRow(found, row, `inputs[${index}]`));
      if (!(compiled.isBatch?.(inputs) ?? true))
        throw invalidInput([{ path: "inputs", message: "must be an array of rows" }]);
      const { outputs, record } = await predict({
        ...call,
        inputs,
        parameters: invocation.params,
      });
      identify(c, manifest, record);
      return answerJson(c, { predictions: outputs });
    }
    if (Object.keys(invocation.params ?? {}).length > 0)
      throw invalidInput([{ path: "params", message: "are not taken with tensors" }]);
    const { results, record } = await infer({
      ...call,
      read: (version) => runsOf(version, invocation),
    });
    identify(c, manifest, record);
    return answerJson(c, { predictions: columnsOfTensors(results) });
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

interface MediaType {
  csv: boolean;
  /** The parameter `header` of text/csv. */
  header: string | undefined;
}

function readMediaType(contentType = ""): MediaType {
  const [type = "", ...parameters] = contentType
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  if (type !== "application/json" && type !== "text/csv")
    throw new NearcastError(
      "unsupported_media_type",
      "The Content-Type must be application/json or text/csv.",
    );
  const header = parameters.find((parameter) => parameter.startsWith("header="))?.slice(7);
  return { csv: type === "text/csv", header };
}

function readInvocationBody(
  body: Uint8Array,
  { csv, header }: MediaType,
  version: ModelVersion,
): Invocation {
  const { manifest } = version;
  if (csv) return { rows: readCsv(new TextDecoder().decode(body), header, version) };
  const exact = manifest.inputs.some(({ datatype }) => datatype.endsWith("INT64"));
  return readInvocation(parseJson(body, { exact }), version);
}

/** Rows of tensors are one run. Only a task splits its rows. */
function runsOf(version: ModelVersion, invocation: Invocation): InParts<InferInputs> {
  return "rows" in invocation
    ? runsOfRows(version, invocation.rows, "instances")
    : { runs: [{ feeds: feedsOfColumns(version, invocation.columns, "inputs"), rows: 1 }] };
}
