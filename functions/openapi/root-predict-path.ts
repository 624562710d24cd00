import { namingModels } from "../dialects/describe-models.ts";
import { LABEL_TASKS } from "../dialects/tei/predict.ts";
import { predictRequest } from "../dialects/tei/requests.ts";
import type { ReleasedModel } from "../model/released-models.ts";
import { answers, json, object, pathsOf, ref } from "./operation.ts";

const labels = {
  type: "array",
  items: object({ label: { type: "string" }, score: { type: "number" } }),
};

/** `POST /predict`, which text-embeddings-inference and the front ends of tutorials share. */
export function rootPredictPath(models: readonly ReleasedModel[]) {
  const texts = namingModels(predictRequest, models, LABEL_TASKS);
  return pathsOf({
    "post /predict": {
      tag: "text-embeddings-inference",
      summary: "Labels of texts (`inputs`), or of a row of features",
      body: json({ anyOf: [texts, ref("TutorialRow")] }),
      answer: answers({
        anyOf: [labels, { type: "array", items: labels }, ref("TutorialPrediction")],
      }),
      assigned: true,
      error: { schema: "TeiError", mediaType: "application/json" },
    },
  });
}
