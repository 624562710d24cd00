import type { ReleasedModel } from "../../model/released-models.ts";
import { answers, json, modelParameters, pathsOf } from "../../openapi/operation.ts";
import { schemaOf } from "../../openapi/schema.ts";
import type { Description } from "../define.ts";
import { predictRequest } from "./request.ts";

export function describe(models: readonly ReleasedModel[]): Description {
  const { one, versioned, labelled } = modelParameters(models.map(({ manifest }) => manifest.name));
  const tag = "TensorFlow Serving";
  const body = json({
    ...schemaOf(predictRequest),
    oneOf: [{ required: ["instances"] }, { required: ["inputs"] }],
  });
  const answer = answers({
    anyOf: [{ required: ["predictions"] }, { required: ["outputs"] }],
    type: "object",
  });
  const both = (path: string, parameters: readonly object[]) => ({
    [`get ${path}/metadata`]: { tag, summary: "Signature", parameters },
    [`post ${path}:predict`]: {
      tag,
      summary: "Rows or columns in, predictions or outputs out",
      parameters,
      body,
      answer,
      ...(parameters === one && { assigned: true as const }),
    },
  });
  const label = "/v1/models/{model}/labels/{label}";
  return {
    paths: pathsOf({
      ...both("/v1/models/{model}", one),
      ...both("/v1/models/{model}/versions/{version}", versioned),
      ...both(label, labelled),
      [`get ${label}`]: { tag, summary: "Status", parameters: labelled },
    }),
  };
}
