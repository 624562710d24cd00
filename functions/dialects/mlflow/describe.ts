import type { ReleasedModel } from "../../model/released-models.ts";
import { answers, json, object, pathsOf } from "../../openapi/operation.ts";
import { schemaOf } from "../../openapi/schema.ts";
import type { Description } from "../define.ts";
import { invocationRequest } from "./data-frame.ts";

const text = { "text/plain": { schema: { type: "string" } } };
const error = { schema: "MLflowError", mediaType: "application/json" };
const tag = "MLflow and SageMaker";

export function describe(_models: readonly ReleasedModel[]): Description {
  return {
    paths: pathsOf({
      "get /ping": {
        tag,
        summary: "Ready",
        answer: { description: "Ready.", content: text },
        error,
      },
      "get /version": {
        tag,
        summary: "Version",
        answer: { description: "The version.", content: text },
        error,
      },
      "post /invocations": {
        tag,
        summary: "Predictions of the default model, or of X-Amzn-SageMaker-Target-Model",
        parameters: [
          {
            name: "X-Amzn-SageMaker-Target-Model",
            in: "header",
            required: false,
            schema: { type: "string" },
          },
        ],
        body: {
          ...json(schemaOf(invocationRequest)),
          "text/csv": { schema: { type: "string" } },
        },
        answer: answers({ type: "object", required: ["predictions"] }),
        assigned: true,
        error,
      },
    }),
    schemas: {
      MLflowError: object({ error_code: { type: "string" }, message: { type: "string" } }),
    },
  };
}
