import { cohere } from "./cohere/dialect.ts";
import type { Dialect } from "./define.ts";
import { huggingFace } from "./hugging-face/dialect.ts";
import { jina } from "./jina/dialect.ts";
import { mlflow } from "./mlflow/dialect.ts";
import { native } from "./native/dialect.ts";
import { openInference } from "./open-inference/dialect.ts";
import { openInferenceGrpc } from "./open-inference/grpc/dialect.ts";
import { batches, openai } from "./openai/dialect.ts";
import { tei } from "./tei/dialect.ts";
import { tensorflowServing } from "./tensorflow-serving/dialect.ts";
import { tutorial } from "./tutorial/dialect.ts";

/** The dialects that come with Nearcast. There is no other list of them. */
export const BUILT_IN_DIALECTS: readonly Dialect[] = [
  native,
  tensorflowServing,
  openai,
  batches,
  openInference,
  openInferenceGrpc,
  mlflow,
  tei,
  huggingFace,
  jina,
  cohere,
  tutorial,
];
