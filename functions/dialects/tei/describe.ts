import type { ReleasedModel } from "../../model/released-models.ts";
import { answers, json, object, pathsOf, type OperationOptions } from "../../openapi/operation.ts";
import type { JsonSchema } from "../../tasks/define.ts";
import { SPARSE_VECTOR } from "../../tasks/text/options.ts";
import type * as z from "zod";
import { namingModels } from "../describe-models.ts";
import { SPARSE_VECTORS } from "../task-model.ts";
import type { Description } from "../define.ts";
import {
  decodeRequest,
  embedAllRequest,
  embedRequest,
  rerankRequest,
  similarityRequest,
  tokenizeRequest,
} from "./requests.ts";

const TAG = "text-embeddings-inference";
const ERROR = { schema: "TeiError", mediaType: "application/json" };

export function describe(models: readonly ReleasedModel[]): Description {
  const operation = (
    summary: string,
    task: string | undefined,
    request: z.ZodType,
    answer: JsonSchema,
  ): OperationOptions => ({
    tag: TAG,
    summary,
    body: json(namingModels(request, models, task === undefined ? [] : [task])),
    answer: answers(answer),
    assigned: true,
    error: ERROR,
  });
  const number = { type: "number" };
  const vectors = list(list(number));
  return {
    paths: pathsOf({
      "get /info": {
        tag: TAG,
        summary: "The model that answers, and its limits",
        parameters: [
          {
            name: "model",
            in: "query",
            description:
              "The model behind /embed when absent, or else that behind /rerank, /predict or /embed_sparse.",
            schema: { type: "string" },
          },
        ],
        error: ERROR,
      },
      "post /rerank": operation(
        "Texts by how well they answer a query",
        "text-ranking",
        rerankRequest,
        list({
          type: "object",
          required: ["index", "score"],
          properties: { index: { type: "integer" }, score: number, text: { type: "string" } },
        }),
      ),
      "post /embed": operation("Vectors of texts", "feature-extraction", embedRequest, vectors),
      "post /embed_all": operation(
        "A vector for each token of texts",
        "feature-extraction",
        embedAllRequest,
        list(vectors),
      ),
      "post /embed_sparse": operation(
        "Sparse vectors of texts",
        SPARSE_VECTORS,
        embedAllRequest,
        list(SPARSE_VECTOR),
      ),
      "post /tokenize": operation(
        "The tokens of texts",
        undefined,
        tokenizeRequest,
        list(
          list(
            object({
              id: { type: "integer" },
              text: { type: "string" },
              special: { type: "boolean" },
              start: { type: ["integer", "null"] },
              stop: { type: ["integer", "null"] },
            }),
          ),
        ),
      ),
      "post /decode": operation(
        "The texts of tokens",
        undefined,
        decodeRequest,
        list({ type: "string" }),
      ),
      "post /similarity": operation(
        "How alike a sentence is to others",
        "feature-extraction",
        similarityRequest,
        list(number),
      ),
    }),
    schemas: {
      TeiError: object({
        error: { type: "string" },
        error_type: { enum: ["Unhealthy", "Backend", "Overloaded", "Validation", "Tokenizer"] },
      }),
    },
  };
}

function list(items: JsonSchema): JsonSchema {
  return { type: "array", items };
}
