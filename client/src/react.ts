import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { Client } from "./index.ts";
import {
  createPredictionStore,
  questionOf,
  viewOf,
  type PredictionActions,
  type PredictionOptions,
  type PredictionView,
} from "./prediction-store.ts";
import type { ModelsOf } from "./types.ts";

export { queryOptions, type PredictionQuery } from "./prediction-query.ts";
export type { PredictionActions, PredictionOptions, PredictionView };

export type UsedPrediction<Input, Output> = PredictionView<Output> &
  PredictionActions<Input, Output>;

/**
 * Asks a model about an input, and again whenever the input is another one. Asks nothing while it is `undefined` or
 * `null`. Make the client once, outside the component. An input may be a new object with each rendering.
 *
 * @example
 * const { data, fieldErrors, isPending } = usePrediction(client, "iris", flower, {
 *   debounceMs: 200,
 *   keepPreviousData: true,
 * });
 */
export function usePrediction<Models extends ModelsOf<Models>, Name extends keyof Models & string>(
  client: Client<Models>,
  model: Name,
  input?: Models[Name]["input"] | null,
  options?: NoInfer<
    PredictionOptions<Models[Name]["input"], Models[Name]["output"], Models[Name]["parameters"]>
  >,
): UsedPrediction<Models[Name]["input"], Models[Name]["output"]>;
export function usePrediction<Models extends ModelsOf<Models>, Name extends keyof Models & string>(
  client: Client<Models>,
  model: Name,
  inputs: readonly Models[Name]["input"][] | null | undefined,
  options?: NoInfer<
    PredictionOptions<
      readonly Models[Name]["input"][],
      Models[Name]["output"][],
      Models[Name]["parameters"]
    >
  >,
): UsedPrediction<readonly Models[Name]["input"][], Models[Name]["output"][]>;
export function usePrediction(
  client: Client,
  model: string,
  input?: unknown,
  options: PredictionOptions = {},
): UsedPrediction<never, unknown> {
  const [store] = useState(createPredictionStore<unknown, unknown>);
  const state = useSyncExternalStore(store.subscribe, store.getState, store.getInitialState);
  const declared = questionOf(client, model, input, options);
  const asking = useRef({ client, model, options });
  useEffect(() => {
    asking.current = { client, model, options };
    store.declare(declared);
  });
  const predict = useCallback(
    (own: unknown) => {
      const { client, model, options } = asking.current;
      return store.ask(questionOf(client, model, own, { ...options, enabled: true }));
    },
    [store],
  );
  return { ...viewOf(state, declared), refetch: store.refetch, predict };
}
