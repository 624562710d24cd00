import { createDeadline } from "../deadline.ts";
import { NearcastClientError } from "../error.ts";
import { createClient, type PredictOptions } from "../index.ts";
import { toJson } from "../json.ts";
import type { CallOptions, ClientOptions } from "../options.ts";
import { tell } from "../request.ts";
import type { ModelTypes, Prediction } from "../types.ts";
import { either } from "./either.ts";
import { createPage } from "./page.ts";
import type { WhyEdge, WhyPage } from "./reasons.ts";

export type { WhyEdge, WhyPage } from "./reasons.ts";

export interface LocalModelOptions extends ClientOptions {
  /** Where the page finds `ort-wasm-simd-threaded.wasm` of onnxruntime-web 1.30.0. Its digest is checked. */
  wasmUrl: string | URL;
  /** Where the page finds `worker.js`, beside its chunks. Where the bundler put it, when absent. */
  workerUrl?: string | URL | undefined;
  /** `auto`, the default, chooses between page and service. `page` never asks the service for a prediction. */
  where?: "auto" | "page" | undefined;
  /** `auto`: the most bytes of a version that the page loads. 32 MiB when absent. */
  maxBytes?: number | undefined;
  /** `auto`: after so many milliseconds without an answer, the other is asked too. 500 when absent. */
  switchAfterMs?: number | undefined;
  /** The longest run in the page. Its worker is ended then. 10000 milliseconds when absent. */
  runTimeoutMs?: number | undefined;
  /** How often the page looks for another release, while it is asked. 60000 milliseconds when absent. */
  checkEveryMs?: number | undefined;
}

/** An answer, what computed it, where, and why there. */
export type LocalPrediction<Output> = Prediction<Output> &
  ({ where: "page"; why: WhyPage } | { where: "edge"; why: WhyEdge });

export type LocalPredictOptions<Parameters> = CallOptions &
  Pick<PredictOptions<Parameters>, "parameters">;

/** Answers one input with one output, and an array with an array. */
interface LocalPredict<Types extends ModelTypes> {
  (
    input: Types["input"],
    options?: LocalPredictOptions<Types["parameters"]>,
  ): Promise<LocalPrediction<Types["output"]>>;
  (
    inputs: readonly Types["input"][],
    options?: LocalPredictOptions<Types["parameters"]>,
  ): Promise<LocalPrediction<Types["output"][]>>;
}

/** A model that runs in the page, or at the service where that is better. */
export interface LocalModel<Types extends ModelTypes> {
  /** Rejects as the client's `predict` does, with the same codes and paths wherever the call runs. */
  predict: LocalPredict<Types>;
  /** Loads the released version, or the one that was released meanwhile. Rejects when the page cannot run it. */
  update: () => Promise<void>;
  /** Ends the worker. What is kept in the browser stays. */
  close: () => void;
}

const MIB = 1024 * 1024;
const CHECK_TIMEOUT_MS = 10_000;

/**
 * Runs the released version of a model in the page, in a worker, by the service's own code. The version's manifest must
 * have `"browser": true`. Throws a TypeError for something that is no URL.
 *
 * @example
 * const flowers = createLocalModel<Models["iris"]>("https://models.example.com", "iris", { wasmUrl });
 * const { outputs, where, why } = await flowers.predict(flower);
 * console.log(outputs.label, where, why);
 */
export function createLocalModel<
  Types extends ModelTypes = ModelTypes & { parameters: Record<string, unknown> },
>(url: string | URL, name: string, options: LocalModelOptions): LocalModel<Types> {
  const { where = "auto", switchAfterMs = 500, maxBytes = 32 * MIB } = options;
  const here = globalThis.location?.href;
  const base = new URL(url, here);
  base.pathname = base.pathname.replace(/\/*$/, "/");
  const client = createClient(base, options);
  const described = createClient(base, { ...options, maxRetries: 0, onError: undefined });
  const { workerUrl } = options;
  const page = createPage({
    base,
    name,
    client: options,
    describe: () => described.model(name, { timeoutMs: CHECK_TIMEOUT_MS }),
    wasmUrl: new URL(options.wasmUrl, here),
    workerUrl: workerUrl === undefined ? undefined : new URL(workerUrl, here),
    always: where === "page",
    maxBytes,
    runTimeoutMs: options.runTimeoutMs ?? 10_000,
    checkEveryMs: options.checkEveryMs ?? 60_000,
  });

  async function predict(
    inputs: unknown,
    call: LocalPredictOptions<unknown> = {},
  ): Promise<LocalPrediction<unknown>> {
    const deadline = createDeadline(call.signal, call.timeoutMs);
    const stop = new AbortController();
    const over = new Promise<never>((_, reject) =>
      deadline.signal.addEventListener("abort", () => {
        stop.abort(deadline.signal.reason);
        reject(deadline.signal.reason as Error);
      }),
    );
    try {
      deadline.signal.throwIfAborted();
      return await Promise.race([answer(inputs, call, stop.signal), over]);
    } finally {
      deadline.end();
      // The one that was slower.
      stop.abort();
    }
  }

  async function answer(
    inputs: unknown,
    call: LocalPredictOptions<unknown>,
    signal: AbortSignal,
  ): Promise<LocalPrediction<unknown>> {
    const { parameters, requestId = crypto.randomUUID() } = call;
    const inPage = async (why: WhyPage): Promise<LocalPrediction<unknown>> => {
      const made = await page.predict(await toJson({ inputs, parameters }), signal);
      return { model: name, ...made, requestId, where: "page", why };
    };
    let edgeError: unknown;
    const atEdge = async (why: WhyEdge): Promise<LocalPrediction<unknown>> => {
      try {
        const made = await client.predict(name, inputs, {
          parameters: parameters as Record<string, unknown> | undefined,
          requestId,
          timeoutMs: call.timeoutMs,
          signal,
        });
        return { ...made, where: "edge", why };
      } catch (error) {
        edgeError = error;
        throw error;
      }
    };

    page.refresh();
    const refusal = page.refusal();
    const bounds = { afterMs: switchAfterMs, isFinal };
    try {
      if (where === "page") return await inPage("asked");
      if (page.isLoaded())
        return await either(
          () => inPage("loaded"),
          (why) => atEdge(why === "slow" ? "page_slow" : "page_failed"),
          bounds,
        );
      if (refusal) return await atEdge(refusal);
      return await either(
        () => atEdge("loading"),
        (why) => inPage(why === "slow" ? "edge_slow" : "edge_failed"),
        bounds,
      );
    } catch (error) {
      // What the page lacks says less than what the service answered.
      const shown = isFinal(error) ? error : (edgeError ?? error);
      // The client has told its own.
      if (shown !== edgeError) tell(options, shown);
      throw shown;
    }
  }

  return {
    predict: predict as LocalPredict<Types>,
    update: page.update,
    close: page.close,
  };
}

/** Whether the other one would say the same: a wrong input, a missing scope, an aborted call. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof NearcastClientError)) return true;
  const { status } = error;
  return status >= 400 && status < 500 && status !== 429 && status !== 408;
}
