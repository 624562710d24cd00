import type { ReleasedModel } from "../../model/released-models.ts";
import { ANYTHING, json, modelParameters, pathsOf } from "../../openapi/operation.ts";
import type { Description } from "../define.ts";

/** Each released model also has a predict path of its own, with its own schemas. */
export function describe(models: readonly ReleasedModel[]): Description {
  const { versioned } = modelParameters(models.map(({ manifest }) => manifest.name));
  return {
    paths: pathsOf({
      "get /health": { tag: "Health", summary: "The process is alive" },
      "get /ready": {
        tag: "Health",
        summary:
          "It can answer a prediction; `failing` counts released models that it could not read, `lostLogLines` what its log lost",
      },
      "post /v1/models/{model}/versions/{version}/predict": {
        tag: "Predict",
        summary: "A prediction of a named version",
        parameters: versioned,
        body: json({
          type: "object",
          required: ["inputs"],
          properties: { parameters: ANYTHING },
        }),
      },
    }),
  };
}
