import type { TensorInfo } from "../../functions/platform/onnx/graph.ts";
import {
  IMAGE_POOLINGS,
  type ImagePooling,
} from "../../functions/tasks/image-feature-extraction/options.ts";
import { isFloat } from "./classifier.ts";
import type { AddedPooling } from "./hugging-face-vectors.ts";
import { only } from "./only.ts";

/** What `--pooling` can say of a model for the vectors of pictures. */
export const IMAGE_FLAGS = [...IMAGE_POOLINGS, "pooler"] as const;
export type ImagePoolingFlag = (typeof IMAGE_FLAGS)[number];

/** What `--pooling` can say. */
export type PoolingFlag = AddedPooling | ImagePoolingFlag;

/** CLIP's projection is made for comparing. A pooler may never have been trained, so nobody assumes it. */
const EMBEDS = "image_embeds";
const POOLER = "pooler_output";

/** Throws an Error for a pooling that is for texts only. */
export function imagePooling(pooling: PoolingFlag | undefined): ImagePoolingFlag | undefined {
  return oneOf(IMAGE_FLAGS, pooling);
}

/** Throws an Error for a pooling of the other kind of model. */
export function oneOf<Choice extends string>(
  choices: readonly Choice[],
  pooling: PoolingFlag | undefined,
): Choice | undefined {
  const choice = choices.find((one) => one === pooling);
  if (pooling === undefined || choice !== undefined) return choice;
  throw new Error(`--pooling ${pooling} is not for this model: ${choices.join(", ")} are.`);
}

export interface ImageVectors {
  outputs: TensorInfo[];
  vector: { output: string; pooling?: ImagePooling };
}

/**
 * Which output has the vectors of pictures, and how they become one. Throws an Error that asks for `--pooling` where the
 * graph does not show it.
 */
export function imageVectorsOf(
  outputs: readonly TensorInfo[],
  pooling: ImagePoolingFlag | undefined,
): ImageVectors {
  const floats = outputs.filter(isFloat);
  const whole = floats.filter((one) => !hasParts(one));
  const parts = floats.filter(hasParts);
  if (pooling === "pooler") {
    const output = only(
      whole.filter(({ name }) => name === POOLER),
      `the output ${POOLER}`,
      outputs,
    );
    return { outputs: [output], vector: { output: output.name } };
  }
  if (pooling) {
    const output = only(parts, "one output with vectors of a picture's parts", outputs);
    return { outputs: [output], vector: { output: output.name, pooling } };
  }
  const named = whole.find(({ name }) => name === EMBEDS);
  const output = named ?? (floats.length === 1 ? whole[0] : undefined);
  if (output) return { outputs: [output], vector: { output: output.name } };
  const names = outputs.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).join(", ");
  throw new Error(
    `The graph has ${names}, which does not say what a picture's vector is. Look at the model's card, and say it with --pooling: cls, mean or max of the parts, none for all of them${whole.some(({ name }) => name === POOLER) ? `, or pooler for ${POOLER}` : ""}.`,
  );
}

function hasParts({ shape }: TensorInfo): boolean {
  return shape.length === 3 || (shape.length === 4 && shape.slice(2).some((one) => one !== 1));
}
