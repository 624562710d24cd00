import { targets } from "../harness/targets.ts";

/** The platforms for tests of authentication. Node with WASM would show nothing more. */
export const TARGETS = Object.entries({
  node: targets.node,
  worker: targets.worker,
  lambda: targets.lambda,
});

const IRIS = '{"inputs": [5.1, 3.5, 1.4, 0.2]}';

/** A prediction of iris. */
export function prediction(headers: Record<string, string> = {}): RequestInit {
  return post(IRIS, headers);
}

export function post(body: string, headers: Record<string, string> = {}): RequestInit {
  return { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body };
}

export const PREDICT = "/v1/models/iris/predict";
