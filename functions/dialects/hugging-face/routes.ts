import { Hono, type Context } from "hono";
import { invalidInput } from "../../errors.ts";
import { callOf, type AppEnv } from "../../http/exchange.ts";
import { identify } from "../../http/identify.ts";
import { answerPrediction } from "../../http/write-answer.ts";
import type { Service } from "../../service.ts";
import { kindOf } from "../task-model.ts";
import { ask } from "./forms.ts";
import { readQuestion } from "./request.ts";

/** `POST /models/{model}`, with the bodies of the model's task. */
export function huggingFaceRoutes(service: Service) {
  const { platform, predict, resolve } = service;

  async function answerQuestion(c: Context<AppEnv>, model: string, task?: string) {
    const question = await readQuestion(c, platform);
    const call = { ...callOf(c), model };
    const resolved = await resolve(call);
    const kind = kindOf(resolved.manifest);
    const { inputs, answer, ...asked } = ask(question, resolved, { kind, task });
    if (inputs === undefined) throw invalidInput([{ path: "inputs", message: "is missing" }]);
    const { manifest, outputs, record, answerBytes } = await predict({
      ...call,
      ...asked,
      resolved,
      inputs,
    });
    identify(c, manifest, record);
    return answerPrediction(c, answer(outputs), { bytes: answerBytes });
  }

  return new Hono<AppEnv>()
    .post("/models/:model", (c) => answerQuestion(c, c.req.param("model")))
    .post("/models/:model/pipeline/:task", (c) =>
      answerQuestion(c, c.req.param("model"), c.req.param("task")),
    );
}
