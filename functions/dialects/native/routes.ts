import { Hono, type Context } from "hono";
import { answerJson } from "../../http/answer.ts";
import { callOf, type AppEnv } from "../../http/exchange.ts";
import { identify } from "../../http/identify.ts";
import { answerPrediction, isLarge } from "../../http/write-answer.ts";
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
    const body = await readPredictBody(c, options);
    const { manifest, outputs, features, answerBytes, record } = await predict({
      ...callOf(c),
      model,
      version,
      ...body,
    });
    identify(c, manifest, record);
    const value = {
      model: manifest.name,
      version: manifest.version,
      outputs: isLarge(answerBytes) ? outputs : withSignedZeros(outputs),
      ...(features && { features }),
    };
    return answerPrediction(c, value, { bytes: answerBytes });
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
