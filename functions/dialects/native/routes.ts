import { Hono, type Context } from "hono";
import { invalidInput } from "../../errors.ts";
import { answerJson } from "../../http/answer.ts";
import { callOf, type AppEnv } from "../../http/exchange.ts";
import { identify } from "../../http/identify.ts";
import { answerPrediction, isLarge } from "../../http/write-answer.ts";
import { isJson, mediaTypeOf } from "../../http/media-type.ts";
import type { JsonBody } from "../../http/json-body.ts";
import type { Service } from "../../service.ts";
import { withSignedZeros } from "../../wire/json.ts";
import { readPredictBody } from "../../http/predict-body.ts";

/** The body of a prediction for `hono/client`. */
interface PredictRequest {
  /** One input, or an array of them. */
  inputs: unknown;
  parameters?: Record<string, unknown>;
}

/** Whether `?features=each` asks for the statuses of every input. Throws `invalid_input` for another value. */
function asksForEach(c: Context<AppEnv>): boolean {
  const asked = c.req.query("features");
  if (asked === undefined || asked === "each") return asked === "each";
  // With a file, the query has the task's parameters.
  if (!isJson(mediaTypeOf(c.req).type)) return false;
  throw invalidInput([{ path: "features", message: "must be each, or absent" }]);
}

/** About how many bytes a status has in JSON, with the feature's name. */
const STATUS_BYTES = 56;

function bytesOfStatuses(each: readonly object[]): number {
  return each.length * Object.keys(each[0] ?? {}).length * STATUS_BYTES;
}

/** `GET /health`: the process is alive. `GET /ready`: it can answer a prediction. */
export function healthRoutes({ checkReady, platform }: Pick<Service, "checkReady" | "platform">) {
  return new Hono<AppEnv>()
    .get("/health", (c) => answerJson(c, { status: "ok" as const }))
    .get("/ready", async (c) => {
      const { store, failing } = await checkReady();
      const lostLogLines = platform.lostLogLines?.() ?? 0;
      // Answers numbers but no names, since everyone may ask.
      return answerJson(c, {
        status: "ready" as const,
        store,
        ...(failing > 0 && { failing }),
        ...(lostLogLines > 0 && { lostLogLines }),
      });
    });
}

/** Predictions of the native API. */
export function predictRoutes({ platform, predict }: Pick<Service, "platform" | "predict">) {
  const { now, config } = platform;
  const { bodyBytes, batch } = config.limits;
  const options = { maxBytes: bodyBytes, batch, now };

  async function answerPredict(c: Context<AppEnv>, model: string, version?: string) {
    const { inputs, parameters } = await readPredictBody(c, options);
    const each = asksForEach(c);
    const made = await predict({ ...callOf(c), model, version, inputs, parameters, each });
    const { manifest, outputs, features, answerBytes, record } = made;
    identify(c, manifest, record);
    const bytes = answerBytes + (Array.isArray(features) ? bytesOfStatuses(features) : 0);
    const value = {
      model: manifest.name,
      version: manifest.version,
      outputs: isLarge(bytes) ? outputs : withSignedZeros(outputs),
      ...(features && { features }),
    };
    return answerPrediction(c, value, { bytes });
  }

  return new Hono<AppEnv>()
    .post(
      "/v1/models/:model/predict",
      (c: Context<AppEnv, "/v1/models/:model/predict", JsonBody<PredictRequest>>) =>
        answerPredict(c, c.req.param("model")),
    )
    .post(
      "/v1/models/:model/versions/:version/predict",
      (
        c: Context<AppEnv, "/v1/models/:model/versions/:version/predict", JsonBody<PredictRequest>>,
      ) => answerPredict(c, c.req.param("model"), c.req.param("version")),
    );
}
