import type { Context } from "hono";
import { checkBody } from "../../errors.ts";
import type { AppEnv } from "../../http/exchange.ts";
import { answerPrediction } from "../../http/write-answer.ts";
import type { Service } from "../../service.ts";
import { createAsk } from "./ask.ts";
import { labelScores } from "../label-scores.ts";
import { readSequences } from "./predictions.ts";
import { longTextsOf, predictRequest } from "./requests.ts";

/** The tasks behind `/predict`. */
export const LABEL_TASKS = ["text-classification"];

/** Answers TEI's `POST /predict`. Others share its path: `http/root-predict.ts` says which body is whose. */
export function createTextPredict(service: Service) {
  const ask = createAsk(service);
  return async (c: Context<AppEnv>, body: unknown): Promise<Response> => {
    const data = checkBody(predictRequest, body);
    const { model, raw_scores: raw, parameters } = data;
    const { inputs, isBatch } = readSequences(data.inputs);
    const { outputs, answerBytes } = await ask(c, {
      model,
      tasks: LABEL_TASKS,
      inputs,
      longTexts: longTextsOf(data),
      parameters: parameters?.top_k ? { top_k: parameters.top_k } : {},
    });
    const answers = (outputs as object[]).map((answer) => labelScores(answer, raw ?? false));
    return answerPrediction(c, isBatch ? answers : answers[0], { bytes: answerBytes });
  };
}
