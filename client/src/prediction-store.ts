import type { NearcastClientError } from "./error.ts";
import type { Client, PredictOptions } from "./index.ts";
import { keyOf } from "./prediction-key.ts";
import type { Prediction } from "./types.ts";

export interface PredictionOptions<
  Input = unknown,
  Output = unknown,
  Parameters = Record<string, unknown>,
> extends Omit<PredictOptions<Parameters>, "signal" | "requestId"> {
  /** Asks when the input has not changed for this many milliseconds. 0 by default. */
  debounceMs?: number | undefined;
  /** Shows the last answer, and the last error, until the next one has come. */
  keepPreviousData?: boolean | undefined;
  /** `false` asks nothing. An input of `undefined` or `null` does the same. */
  enabled?: boolean | undefined;
  /** A guess that is shown until the answer comes. After an error it is taken back. Must be a pure function. */
  optimistic?(input: Input, previous: Output | undefined): Output | undefined;
}

/** What there is to show of a prediction. */
export interface PredictionView<Output> {
  /** The outputs of the answer. They may be of an earlier input (`isPrevious`) or a guess (`isOptimistic`). */
  data: Output | undefined;
  /** The answer that `data` is from, with its version and request id. */
  prediction: Prediction<Output> | undefined;
  /** Mostly a {@link NearcastClientError}. */
  error: Error | undefined;
  /** What is wrong with the input by field: `{ sepal_width: "must be at most 20 cm" }`. */
  fieldErrors: Readonly<Record<string, string>>;
  /** An answer is awaited. */
  isPending: boolean;
  isPrevious: boolean;
  isOptimistic: boolean;
}

/** What a page can do about a prediction. Both resolve with `undefined` after an error or a newer question. */
export interface PredictionActions<Input, Output> {
  /** Asks the last question again. */
  refetch: () => Promise<Prediction<Output> | undefined>;
  /** Asks at once about this input, for buttons. The answer is shown until the hook's own input changes. */
  predict: (input: Input) => Promise<Prediction<Output> | undefined>;
}

/** An input, and how it is asked. */
export interface Question<Input, Output> {
  key: string;
  input: Input;
  options: PredictionOptions<Input, Output>;
  ask: (signal: AbortSignal) => Promise<Prediction<Output>>;
}

export interface PredictionState<Input, Output> {
  /** The question of the page's last rendering. */
  declared: Question<Input, Output> | undefined;
  /** The question that is asked or answered: the declared one, or one of `predict()`. */
  current: Question<Input, Output> | undefined;
  isPending: boolean;
  answer: { key: string; prediction: Prediction<Output> } | undefined;
  failure: { key: string; error: Error } | undefined;
}

/** The question about an input. Undefined if there is nothing to ask. */
export function questionOf<Input, Output>(
  client: Client,
  model: string,
  input: Input | null | undefined,
  options: PredictionOptions<Input, Output>,
): Question<Input, Output> | undefined {
  if (input === undefined || input === null || options.enabled === false) return undefined;
  const { version, parameters, timeoutMs } = options;
  return {
    key: keyOf([client.url, model, input, version, parameters]),
    input,
    options,
    ask: (signal) =>
      client.predict(model, input, { version, parameters, timeoutMs, signal }) as Promise<
        Prediction<Output>
      >,
  };
}

const IDLE = {
  declared: undefined,
  current: undefined,
  isPending: false,
  answer: undefined,
  failure: undefined,
};

export interface PredictionStore<Input, Output> {
  getState: () => PredictionState<Input, Output>;
  /** The state before anything was asked, such as on a server. */
  getInitialState: () => PredictionState<Input, Output>;
  /** The first listener begins what waits to be asked. The last one's leaving ends it. */
  subscribe: (listener: () => void) => () => void;
  /** Asks after `debounceMs`, if the question is another one than before. */
  declare: (question: Question<Input, Output> | undefined) => void;
  /** Asks now. */
  ask: (question: Question<Input, Output> | undefined) => Promise<Prediction<Output> | undefined>;
  /** Asks the last question again. */
  refetch: () => Promise<Prediction<Output> | undefined>;
}

/** One place of a page that shows predictions. Only the answer to the last question is ever shown. */
export function createPredictionStore<Input, Output>(): PredictionStore<Input, Output> {
  let state: PredictionState<Input, Output> = IDLE;
  const listeners = new Set<() => void>();
  let running: AbortController | undefined;

  function change(to: Partial<PredictionState<Input, Output>>): void {
    state = { ...state, ...to };
    for (const listener of listeners) listener();
  }

  function start(
    question: Question<Input, Output>,
    delayMs: number,
  ): Promise<Prediction<Output> | undefined> {
    running?.abort();
    const { signal } = (running = new AbortController());
    change({ current: question, isPending: true });
    return new Promise((resolve) => {
      const timer = setTimeout(async () => {
        const answered = await question.ask(signal).then(
          (prediction) => ({ answer: { key: question.key, prediction }, failure: undefined }),
          (error: Error) => ({ failure: { key: question.key, error } }),
        );
        if (signal.aborted) return;
        change({ ...answered, isPending: false });
        resolve("answer" in answered ? answered.answer.prediction : undefined);
      }, delayMs);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve(undefined);
      });
    });
  }

  async function ask(question: Question<Input, Output> | undefined) {
    return question && start(question, 0);
  }

  function whenOnline(): void {
    const isLost = (state.failure?.error as Partial<NearcastClientError>)?.code === "network";
    if (isLost && !state.isPending) void ask(state.current);
  }

  return {
    getState: () => state,
    getInitialState: () => IDLE,
    subscribe(listener) {
      if (listeners.size === 0) globalThis.addEventListener?.("online", whenOnline);
      listeners.add(listener);
      if (state.isPending && running?.signal.aborted) void ask(state.current);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        globalThis.removeEventListener?.("online", whenOnline);
        running?.abort();
      };
    },
    declare(question) {
      if (question && question.key === state.declared?.key)
        // Another client or time limit for the same question holds from the next request on.
        Object.assign(state.declared, question);
      else if (question) {
        change({ declared: question });
        void start(question, question.options.debounceMs ?? 0);
      } else if (state.declared) {
        running?.abort();
        change(IDLE);
      }
    },
    ask,
    refetch: () => ask(state.current),
  };
}

/** What to show, given the question of this rendering. The store may not know it yet. */
export function viewOf<Input, Output>(
  state: PredictionState<Input, Output>,
  declared: Question<Input, Output> | undefined,
): PredictionView<Output> {
  const isKnown = declared?.key === state.declared?.key;
  const question = isKnown ? state.current : declared;
  const isPending = question !== undefined && (!isKnown || state.isPending);
  const keeps = question?.options.keepPreviousData;
  const holds = (outcome: { key: string } | undefined) =>
    question && (outcome?.key === question.key || keeps);
  const kept = holds(state.answer) ? state.answer : undefined;
  const error = holds(state.failure) ? state.failure?.error : undefined;
  const guess = isPending
    ? question.options.optimistic?.(question.input, kept?.prediction.outputs)
    : undefined;
  return {
    data: guess ?? kept?.prediction.outputs,
    prediction: guess === undefined ? kept?.prediction : undefined,
    error,
    fieldErrors: fieldErrors(error),
    isPending,
    isPrevious: guess === undefined && kept !== undefined && kept.key !== question?.key,
    isOptimistic: guess !== undefined,
  };
}

/** Messages by field: `inputs.sepal_width` is the field `sepal_width`, `inputs[1].a` the field `[1].a`. */
function fieldErrors(error: Error | undefined): Record<string, string> {
  const { errors = [] } = (error ?? {}) as Partial<NearcastClientError>;
  return Object.fromEntries(
    errors.map(({ path, message }) => [path.replace(/^inputs\.?(?=.)/, ""), message]),
  );
}
