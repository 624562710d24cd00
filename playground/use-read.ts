import { useEffect, useState } from "preact/hooks";
import { failureOf, type Failure } from "./api.ts";

/**
 * Reads something of the service, and again when `inputs` change. Keeps the last value until then. Calls `onRefused`
 * where the service asks for another key.
 */
export function useRead<Value>(
  read: (signal: AbortSignal) => Promise<Value>,
  onRefused: () => void,
  inputs: readonly unknown[],
): { value?: Value; failure?: Failure } {
  const [state, setState] = useState<{ value?: Value; failure?: Failure }>({});

  async function begin(signal: AbortSignal): Promise<void> {
    try {
      const value = await read(signal);
      if (!signal.aborted) setState({ value });
    } catch (error) {
      if (signal.aborted) return;
      const failure = failureOf(error);
      if (failure.status === 401) onRefused();
      else setState({ failure });
    }
  }

  useEffect(() => {
    const own = new AbortController();
    void begin(own.signal);
    return () => own.abort();
  }, inputs);
  return state;
}
