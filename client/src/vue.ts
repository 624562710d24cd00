import {
  computed,
  getCurrentInstance,
  onMounted,
  onScopeDispose,
  ref,
  shallowRef,
  toValue,
  watch,
  type ComputedRef,
  type MaybeRefOrGetter,
} from "vue";
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

export type UsedPrediction<Input, Output> = {
  [Name in keyof PredictionView<Output>]: ComputedRef<PredictionView<Output>[Name]>;
} & PredictionActions<Input, Output>;

/**
 * Asks a model about an input (a ref, a getter or a reactive object), and again whenever it changes. Asks nothing while
 * it is `undefined` or `null`, and nothing while a page is rendered on a server. All but the functions are refs.
 *
 * @example
 * const flower = reactive({ sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 });
 * const { data, fieldErrors, isPending } = usePrediction(client, "iris", flower, {
 *   debounceMs: 200,
 *   keepPreviousData: true,
 * });
 */
export function usePrediction<Models extends ModelsOf<Models>, Name extends keyof Models & string>(
  client: Client<Models>,
  model: MaybeRefOrGetter<Name>,
  input?: MaybeRefOrGetter<Models[Name]["input"] | null | undefined>,
  options?: MaybeRefOrGetter<
    NoInfer<
      PredictionOptions<Models[Name]["input"], Models[Name]["output"], Models[Name]["parameters"]>
    >
  >,
): UsedPrediction<Models[Name]["input"], Models[Name]["output"]>;
export function usePrediction<Models extends ModelsOf<Models>, Name extends keyof Models & string>(
  client: Client<Models>,
  model: MaybeRefOrGetter<Name>,
  inputs: MaybeRefOrGetter<readonly Models[Name]["input"][] | null | undefined>,
  options?: MaybeRefOrGetter<
    NoInfer<
      PredictionOptions<
        readonly Models[Name]["input"][],
        Models[Name]["output"][],
        Models[Name]["parameters"]
      >
    >
  >,
): UsedPrediction<readonly Models[Name]["input"][], Models[Name]["output"][]>;
export function usePrediction(
  client: Client,
  model: MaybeRefOrGetter<string>,
  input?: unknown,
  options: MaybeRefOrGetter<PredictionOptions> = {},
): UsedPrediction<never, unknown> {
  const store = createPredictionStore<unknown, unknown>();
  const state = shallowRef(store.getState());
  const declared = computed(() =>
    questionOf(client, toValue(model), toValue(input), toValue(options)),
  );
  const isMounted = ref(false);
  watch(() => (isMounted.value ? declared.value : undefined), store.declare);
  let leave: (() => void) | undefined;
  function enter(): void {
    leave = store.subscribe(() => (state.value = store.getState()));
    isMounted.value = true;
  }
  if (getCurrentInstance()) onMounted(enter);
  else enter();
  onScopeDispose(() => leave?.());

  const view = computed(() => viewOf(state.value, declared.value));
  return {
    data: computed(() => view.value.data),
    prediction: computed(() => view.value.prediction),
    error: computed(() => view.value.error),
    fieldErrors: computed(() => view.value.fieldErrors),
    isPending: computed(() => view.value.isPending),
    isPrevious: computed(() => view.value.isPrevious),
    isOptimistic: computed(() => view.value.isOptimistic),
    refetch: store.refetch,
    predict(own) {
      const now = { ...toValue(options), enabled: true };
      return store.ask(questionOf(client, toValue(model), own, now));
    },
  };
}
