import type { Client } from "./index.ts";
import { keyOf } from "./prediction-key.ts";
import type { PredictionOptions } from "./prediction-store.ts";
import type { ModelsOf, Prediction } from "./types.ts";

/** What TanStack Query takes. */
export interface PredictionQuery<Output> {
  queryKey: readonly ["nearcast", url: string, model: string, question: string];
  queryFn: (context: { signal: AbortSignal }) => Promise<Prediction<Output>>;
  enabled: boolean;
  retry: false;
}

type QueryOptions<Parameters> = Pick<
  PredictionOptions<unknown, unknown, Parameters>,
  "version" | "parameters" | "timeoutMs" | "enabled"
>;

/**
 * A prediction for TanStack Query: `useQuery(queryOptions(client, "iris", flower))`. Its data is the whole answer, with
 * `outputs` and `version`. TanStack does not repeat it, because the client repeats where that is safe.
 */
export function queryOptions<Models extends ModelsOf<Models>, Name extends keyof Models & string>(
  client: Client<Models>,
  model: Name,
  input: Models[Name]["input"] | null | undefined,
  options?: QueryOptions<Models[Name]["parameters"]>,
): PredictionQuery<Models[Name]["output"]>;
export function queryOptions<Models extends ModelsOf<Models>, Name extends keyof Models & string>(
  client: Client<Models>,
  model: Name,
  inputs: readonly Models[Name]["input"][] | null | undefined,
  options?: QueryOptions<Models[Name]["parameters"]>,
): PredictionQuery<Models[Name]["output"][]>;
export function queryOptions(
  client: Client,
  model: string,
  input: unknown,
  { enabled = true, ...call }: QueryOptions<Record<string, unknown>> = {},
): PredictionQuery<unknown> {
  return {
    queryKey: ["nearcast", client.url, model, keyOf([input, call.version, call.parameters])],
    queryFn: ({ signal }) => client.predict(model, input, { ...call, signal }),
    enabled: enabled && input !== undefined && input !== null,
    retry: false,
  };
}
