import type { ReleasedModel } from "../../model/released-models.ts";
import { answers, json, modelParameters, pathsOf } from "../../openapi/operation.ts";
import { schemaOf } from "../../openapi/schema.ts";
import { kindOf } from "../task-model.ts";
import type { Description } from "../define.ts";
import { TASKS } from "./forms.ts";
import { huggingFaceRequest } from "./request.ts";

export function describe(models: readonly ReleasedModel[]): Description {
  const names = models
    .filter(({ manifest }) => TASKS.includes(kindOf(manifest)))
    .map(({ manifest }) => manifest.name);
  const { one } = modelParameters(names);
  const bytes = { schema: {} };
  const operation = {
    tag: "Hugging Face",
    summary: "A prediction, in the form of Hugging Face's Inference API for the model's task",
    body: { ...json(schemaOf(huggingFaceRequest)), "application/octet-stream": bytes },
    answer: answers({}),
    assigned: true,
  } as const;
  return {
    paths: pathsOf({
      "post /models/{model}": { ...operation, parameters: one },
      "post /models/{model}/pipeline/{task}": {
        ...operation,
        summary: "The same by a task of the model: vectors are compared with `sentence-similarity`",
        parameters: [
          ...one,
          {
            name: "task",
            in: "path",
            required: true,
            schema: { enum: TASKS },
          },
        ],
      },
    }),
  };
}
