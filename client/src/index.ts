import { modelPath } from "./address.ts";
import { createJobs, type Jobs } from "./jobs.ts";
import type {
  CallOptions,
  ClientOptions,
  EmbedOptions,
  PredictOptions,
  RerankOptions,
  VersionOptions,
} from "./options.ts";
import { PREDICTION_MEMBERS, predictionOf } from "./prediction.ts";
import { request, within } from "./request.ts";
import type {
  AnyModels,
  Embedding,
  FeedbackStatus,
  Health,
  ModelDescription,
  ModelsOf,
  ModelsWith,
  ModelSummary,
  Prediction,
  RankedDocument,
  RankedText,
  Rollout,
} from "./types.ts";

export { assignment } from "./assignment.ts";
export { NearcastClientError, type ErrorCode } from "./error.ts";
export type { JobOf, Jobs, Submit } from "./jobs.ts";
export type * from "./options.ts";
export type * from "./types.ts";

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

/** Asks for vectors of texts. One text gives one vector. An array of texts gives an array, in the same order. */
export interface Embed<Models extends ModelsOf<Models> = AnyModels> {
  <Name extends ModelsWith<Models, Embedding>>(
    model: Name,
    text: string,
    options?: EmbedOptions,
  ): Promise<Prediction<VectorOf<Models[Name]["output"]>>>;
  <Name extends ModelsWith<Models, Embedding>>(
    model: Name,
    texts: readonly string[],
    options?: EmbedOptions,
  ): Promise<Prediction<VectorOf<Models[Name]["output"]>[]>>;
}

type VectorOf<Output> = unknown extends Output ? number[] : Output;

/**
 * A service and the types of its models. Every call rejects with {@link NearcastClientError}, or with the reason of its
 * signal. A timeout that is not above 0 gives a RangeError, and a name such as `..` a TypeError.
 */
export interface Client<Models extends ModelsOf<Models> = AnyModels> {
  /** The service's address, with a slash at its end. */
  readonly url: string;
  predict: Predict<Models>;
  /**
   * The vectors of texts, from a model with the task `feature-extraction`. A text that is longer than the model takes is
   * cut.
   *
   * @example
   * const { outputs } = await client.embed("search", ["a red lamp", "candle"], { dimensions: 64 });
   */
  embed: Embed<Models>;
  /**
   * The documents by how well they answer the query, best first, from a model with the task `text-ranking`. In errors,
   * the path of a document is `inputs.texts[0]`.
   *
   * @example
   * const { outputs } = await client.rerank("ranker", "a lamp for reading", texts, { topN: 3 });
   * for (const { document, score } of outputs) show(document, score);
   */
  rerank: (
    model: ModelsWith<Models, RankedText[]>,
    query: string,
    documents: readonly string[],
    options?: RerankOptions,
  ) => Promise<Prediction<RankedDocument[]>>;
  /** Predictions that are answered later. */
  jobs: Jobs<Models>;
  /**
   * Says what really happened, for a prediction of this caller: a label or a number, for several inputs an array of them.
   * The same outcome twice counts once (`known`). Rejects with `not_found` where nothing is kept of the prediction, and
   * with `conflict` after another outcome.
   */
  feedback: (
    requestId: string,
    outcome: Outcome | readonly (Outcome | null)[],
    options?: CallOptions,
  ) => Promise<FeedbackStatus>;
  /** Every released model. */
  models: (options?: CallOptions) => Promise<ModelSummary[]>;
  /** The public part of a version's manifest. The released version's when none is named. */
  model: (name: keyof Models & string, options?: VersionOptions) => Promise<ModelDescription>;
  /** What is on trial, with which {@link assignment} finds the version of a key. Needs the scope `read`. */
  rollout: (name: keyof Models & string, options?: CallOptions) => Promise<Rollout>;
  /** Resolves when the service is alive. Rejects when it is not. */
  health: (options?: CallOptions) => Promise<Health>;
}

type Outcome = string | number;

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
    const url = new URL(path, base);
    const { body } = await within(options, call, (begun) => request(begun, { url, members }));
    return body as Body;
  }

  async function predict(model: string, inputs: unknown, call: PredictOptions<unknown> = {}) {
    const url = new URL(`${modelPath(model, call.version)}/predict`, base);
    const body = { inputs, parameters: call.parameters };
    return within(options, call, async (begun) => {
      const answer = await request(begun, { url, body, members: PREDICTION_MEMBERS });
      return predictionOf(answer, call.requestId);
    });
  }

  async function embed(model: string, texts: unknown, call: EmbedOptions = {}) {
    const { dimensions, precision, promptName, ...rest } = call;
    const parameters = { dimensions, precision, prompt_name: promptName };
    return predict(model, texts, { ...rest, parameters });
  }

  async function rerank(
    model: string,
    query: string,
    documents: readonly string[],
    call: RerankOptions = {},
  ) {
    const { topN, rawScores, ...rest } = call;
    const parameters = { top_k: topN, raw_scores: rawScores };
    const answer = await predict(model, { query, texts: documents }, { ...rest, parameters });
    const ranked: RankedText[] = answer.outputs;
    const outputs = ranked.map(({ index, score }) => ({
      index,
      score,
      document: documents[index] ?? "",
    }));
    return { ...answer, outputs };
  }

  async function feedback(requestId: string, outcome: unknown, call?: CallOptions) {
    const { body } = await within(options, call, (begun) =>
      request(begun, {
        url: new URL("v1/feedback", base),
        body: { request_id: requestId, outcome },
        members: ["status"],
        isRepeatable: true,
      }),
    );
    return body["status"] as FeedbackStatus;
  }

  return {
    url: base.href,
    predict,
    embed,
    rerank,
    jobs: createJobs(options, base),
    feedback,
    async models(call) {
      return (await read<{ models: ModelSummary[] }>("v1/models", ["models"], call)).models;
    },
    model: async (name, call) => read(modelPath(name, call?.version), ["name", "version"], call),
    rollout: async (name, call) =>
      read(`${modelPath(name)}/rollout`, ["stable", "candidates"], call),
    health: (call) => read("health", ["status"], call),
  };
}
