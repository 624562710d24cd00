import { Hono, type Context } from "hono";
import { invalidInput, NearcastError } from "../errors.ts";
import type { Model } from "../model/registry.ts";
import { checkBatch } from "../predict.ts";
import type { AppEnv } from "../request-context.ts";
import { readBody } from "../wire/body.ts";
import { readCsv, readInvocation, type Invocation } from "../wire/dataframe.ts";
import { parseJson } from "../wire/json.ts";
import { columnsOfTensors, feedsOfColumns, isTaskRow, runsOfRows, taskRow } from "../wire/rows.ts";
import { answer, answerJson } from "./answer.ts";
import { identify } from "./identify.ts";
import type { Services } from "./services.ts";
import { VERSION } from "../version.ts";

const PLAIN = { "Content-Type": "text/plain; charset=UTF-8" };

/** MLflow's scoring server, which is also what SageMaker asks of a container. */
export function mlflowRoutes({ platform, registryFor, checkReady, predict, infer }: Services) {
  const { limits, defaultModel } = platform.config;

  async function answerInvocation(c: Context<AppEnv>) {
    const context = c.get("context");
    const mediaType = readMediaType(c.req.header("content-type"));
    const model = await registryFor(context.caller, "predict").resolve(
      modelName(c.req.header("x-amzn-sagemaker-target-model") ?? defaultModel),
    );
    const { name, version } = model.manifest;
    const body = await context.phases.time("read", () => readBody(c, limits.bodyBytes));
    const invocation = readInvocationBody(body, mediaType, model);
    if ("rows" in invocation) checkBatch(invocation.rows, model.limits.batch);
    if ("rows" in invocation && isTaskRow(model.manifest, invocation.rows[0])) {
      const inputs = invocation.rows.map((row, index) =>
        taskRow(model.manifest, row, `inputs[${index}]`),
      );
      if (!model.task.isBatch(inputs))
        throw invalidInput([{ path: "inputs", message: "must be an array of rows" }]);
      const parameters = invocation.params;
      const { outputs } = await predict({ model: name, version, inputs, parameters }, context);
      identify(c, model.manifest, context);
      return answerJson(c, { predictions: outputs });
    }
    if (Object.keys(invocation.params ?? {}).length > 0)
      throw invalidInput([{ path: "params", message: "are not taken with tensors" }]);
    function* read(found: Model) {
      return { runs: yield* runsOf(found, invocation) };
    }
    const { results } = await infer({ model: name, version, read }, context);
    identify(c, model.manifest, context);
    return answerJson(c, { predictions: columnsOfTensors(results[0] ?? {}) });
  }

  return new Hono<AppEnv>()
    .get("/ping", async (c) => {
      await checkReady();
      return answer(c, "\n", PLAIN);
    })
    .get("/version", (c) => answer(c, VERSION, PLAIN))
    .post("/invocations", (c) => answerInvocation(c));
}

const ERROR_CODES: Record<number, string> = {
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "RESOURCE_DOES_NOT_EXIST",
  429: "REQUEST_LIMIT_EXCEEDED",
  500: "INTERNAL_ERROR",
  503: "TEMPORARILY_UNAVAILABLE",
};

/** The body that MLflow's clients read of an error. */
export function mlflowError(error: NearcastError) {
  const other = error.status < 500 ? "BAD_REQUEST" : "INTERNAL_ERROR";
  return { error_code: ERROR_CODES[error.status] ?? other, message: error.message };
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
  { manifest }: Model,
): Invocation {
  if (csv) return { rows: readCsv(new TextDecoder().decode(body), header, manifest) };
  const exact = manifest.inputs.some(({ datatype }) => datatype.endsWith("INT64"));
  return readInvocation(parseJson(body, { exact }), manifest);
}

/** Rows of tensors are one run: only a task splits its rows. */
function* runsOf(model: Model, invocation: Invocation) {
  return "rows" in invocation
    ? yield* runsOfRows(model, invocation.rows, "instances")
    : [{ feeds: feedsOfColumns(model.manifest, invocation.columns, "inputs"), rows: 1 }];
}
