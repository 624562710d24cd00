import { request, type CallOptions, type ClientOptions, type Question } from "./request.ts";
import type {
  AnyModels,
  Health,
  ModelDescription,
  ModelsOf,
  ModelSummary,
  Prediction,
  Rollout,
} from "./types.ts";

export { assignment } from "./assignment.ts";
export { NearcastClientError, type ErrorCode } from "./error.ts";
export type { CallOptions, ClientOptions } from "./request.ts";
export type * from "./types.ts";

export interface PredictOptions<Parameters = Record<string, unknown>> extends CallOptions {
  /** The version that answers. The released one when absent. */
  version?: string | undefined;
  /** Parameters of the model's task, such as `{ top_k: 3 }`. */
  parameters?: Parameters | undefined;
}

/** Asks for predictions. One input gives one output. An array of inputs gives an array, in the same order. */
export interface Predict<Models extends ModelsOf<Models> = AnyModels> {
  <Name extends keyof Models & string>(
    model: Name,
    input: Models[Name]["input"],
    options?: PredictOptions<Models[Name]["parameters"]>,
  ): Promise<Prediction<Models[Name]["output"]>>;
  <Name extends keyof Models & string>(
    model: Name,
    inputs: readonly Models[Name]["input"][],
    options?: PredictOptions<Models[Name]["parameters"]>,
  ): Promise<Prediction<Models[Name]["output"][]>>;
}

/**
 * A service and the types of its models. Every call rejects with {@link NearcastClientError}, or with the reason of its
 * signal. A timeout that is not above 0 gives a RangeError, and a name such as `..` a TypeError.
 */
export interface Client<Models extends ModelsOf<Models> = AnyModels> {
  /** The service's address, with a slash at its end. */
  readonly url: string;
  predict: Predict<Models>;
  /** Every released model. */
  models: (options?: CallOptions) => Promise<ModelSummary[]>;
  /** The public part of a version's manifest. The released version's when none is named. */
  model: (
    name: keyof Models & string,
    options?: CallOptions & { version?: string | undefined },
  ) => Promise<ModelDescription>;
  /** What is on trial, with which {@link assignment} finds the version of a key. Needs the scope `read`. */
  rollout: (name: keyof Models & string, options?: CallOptions) => Promise<Rollout>;
  /** Resolves when the service is alive. Rejects when it is not. */
  health: (options?: CallOptions) => Promise<Health>;
}

/**
 * Makes a client of the service at `url`. The URL may have a prefix (`https://shop.example/ml`), and in a page it may
 * be relative (`/ml`). Throws a TypeError when it is not a URL.
 *
 * @example
 * interface Models {
 *   sentiment: { input: string; output: Classification<"positive" | "negative">; parameters: { top_k?: number } };
 * }
 * const client = createClient<Models>("https://models.example.com", { key });
 * const { outputs } = await client.predict("sentiment", "Great phone.", { timeoutMs: 2000 });
 * console.log(outputs.label, outputs.score);
 */
export function createClient<Models extends ModelsOf<Models> = AnyModels>(
  url: string | URL,
  options: ClientOptions = {},
): Client<Models> {
  const base = new URL(url, globalThis.location?.href);
  base.pathname = base.pathname.replace(/\/*$/, "/");

  async function read<Body>(path: string, members: readonly string[], call?: CallOptions) {
    const { body } = await request(options, { url: new URL(path, base), members }, call);
    return body as Body;
  }

  async function predict(model: string, inputs: unknown, call: PredictOptions<unknown> = {}) {
    const question: Question = {
      url: new URL(`${modelPath(model, call.version)}/predict`, base),
      body: { inputs, parameters: call.parameters },
      members: ["model", "version", "outputs"],
    };
    const { body, headers } = await request(options, question, call);
    return {
      ...(body as { model: string; version: string; outputs: unknown }),
      digest: headers.get("X-Model-Digest") ?? "",
      requestId: headers.get("X-Request-Id") ?? call.requestId ?? "",
    };
  }

  return {
    url: base.href,
    predict: predict as Predict<Models>,
    async models(call) {
      return (await read<{ models: ModelSummary[] }>("v1/models", ["models"], call)).models;
    },
    model: async (name, call) => read(modelPath(name, call?.version), ["name", "version"], call),
    rollout: async (name, call) =>
      read(`${modelPath(name)}/rollout`, ["stable", "candidates"], call),
    health: (call) => read("health", ["status"], call),
  };
}

function modelPath(model: string, version?: string): string {
  const path = `v1/models/${segment(model)}`;
  return version === undefined ? path : `${path}/versions/${segment(version)}`;
}

/** URLs treat `.` and `..` as other folders, even when they are encoded. */
function segment(name: string): string {
  if (/^\.{0,2}$/.test(name))
    throw new TypeError(`"${name}" is not the name of a model or version`);
  return encodeURIComponent(name);
}
